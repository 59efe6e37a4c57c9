import { isDeepStrictEqual } from 'node:util';
import type * as v from 'valibot';
import { mostBlobBytes, privateKeyRule, type releaseRequestSchema } from '../../../api/release.ts';
import type { ReleaseFinding } from '../../../api/release-info.ts';
import { type RsaPublicKey, readPublicKey } from '../../../core/keys/public-key.ts';
import { type Manifest, parseManifest } from '../../../core/model/manifest.ts';
import { judgeRelease } from '../../../core/preflight/judge-release.ts';
import { isRuleId } from '../../../core/preflight/registry.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { BlobStore } from '../../storage/blob-store.ts';
import type { Actor, ProjectRecord, ReleaseRecord } from '../../storage/records.ts';
import type { NewRelease, PublicationResult, Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import type { DomainEvent } from '../events/domain-event.ts';
import type { ServiceParts } from '../parts.ts';
import { newProject, projectEvent } from './project.ts';
import type { BuildAnswer } from './verify-build.ts';

export interface PublishQuestion {
  readonly project: string;
  readonly request: v.InferOutput<typeof releaseRequestSchema>;
  readonly by: Actor;
  /** Whether the publisher may create the project. */
  readonly isAdmin: boolean;
}

export interface PublishAnswer {
  readonly outcome: Exclude<PublicationResult['outcome'], 'version-taken'>;
  readonly release: ReleaseRecord;
  readonly warnings: readonly ReleaseFinding[];
}

/** Result of verifying a release whose bytes match its manifest. */
export interface VerifiedRelease {
  /** Fingerprints of the project keys at the time of verification. */
  readonly projectKeys: readonly string[];
  readonly warnings: readonly ReleaseFinding[];
}

/**
 * Reads all bytes of a release in a worker thread and applies the preflight rules. Does not write anything.
 *
 * @throws DomainError invalid, not-found, wrong-key, blobs-missing, not-as-described, private-key, blocked, verification-limit
 */
export async function verifyRelease(
  { store, blobs, verifier }: Pick<ServiceParts, 'store' | 'blobs' | 'verifier'>,
  question: PublishQuestion,
): Promise<VerifiedRelease> {
  const { manifest, key, record, artifacts } = await prepare({ store, blobs }, question);
  const projectKeys = record.keys.map(({ pem, fingerprint }) => readPublicKey(pem, fingerprint));
  const answer = await verifier.verify(question.project, { manifest, blobs: artifacts, key, projectKeys });
  requireAsDescribed(answer, question.request.allow);
  return { projectKeys: record.keys.map(({ fingerprint }) => fingerprint), warnings: judged(manifest, question) };
}

/**
 * Publishes a verified release in one step.
 *
 * @throws DomainError conflict, version-taken, and the `verifyRelease` errors
 */
export function publishRelease(
  parts: Pick<ServiceParts, 'store' | 'blobs' | 'catalog' | 'rollouts' | 'publishing' | 'events'>,
  question: PublishQuestion,
  verified: VerifiedRelease,
): Promise<PublishAnswer> {
  const { project, request, by } = question;
  return parts.publishing.acquire('all', async () => {
    const channel = request.purpose === 'serve' && !request.draft ? request.channel : undefined;
    if (channel !== undefined) parts.rollouts.requireFreeChannel(project, channel);
    // Verification takes time. Meanwhile, an admin may have changed the project, or uploads may have been removed.
    const { manifest, record, present } = await prepare(parts, question);
    requireSameKeys(record, verified);
    const release = newRelease(question, manifest);
    const created = record === present ? undefined : projectEvent(present, record, by);
    const eventsOf = (outcome: 'published' | 'promoted') =>
      [created, releaseEvent(outcome, release, channel, by)].filter((event) => event !== undefined);
    const result = await parts.store.catalog.publish({
      release,
      channel,
      project: created && record,
      audit: (outcome) => eventsOf(outcome).map(auditEntryOf),
    });
    const { outcome } = result;
    if (outcome === 'version-taken') throw versionTaken(release);
    await parts.catalog.refresh(project);
    if (outcome !== 'unchanged') for (const event of eventsOf(outcome)) parts.events.emit(event);
    return { outcome, release: result.release, warnings: verified.warnings };
  });
}

/** @throws DomainError conflict */
function requireSameKeys({ name, keys }: ProjectRecord, { projectKeys }: VerifiedRelease): void {
  const fingerprints = keys.map(({ fingerprint }) => fingerprint);
  if (isDeepStrictEqual(fingerprints, projectKeys)) return;
  throw new DomainError(
    'conflict',
    `the keys of ${name} changed while the release was being verified`,
    'Publish the release again.',
  );
}

function newRelease({ project, request }: PublishQuestion, manifest: Manifest): NewRelease['release'] {
  const { version, purpose } = request;
  const { kind } = manifest.image;
  return { project, version, kind, board: manifest.board ?? '', purpose, publishedAt: Date.now(), manifest };
}

/** Describes a publication. A release that already exists can only be promoted to another channel. */
function releaseEvent(
  outcome: 'published' | 'promoted',
  { project, version, kind, board, purpose, publishedAt, manifest }: NewRelease['release'],
  channel: string | undefined,
  by: Actor,
): DomainEvent {
  const common = { project, actor: by, at: publishedAt };
  const name = { version, kind, board };
  if (outcome === 'promoted' && channel !== undefined) {
    return { ...common, type: 'release.promoted', channel, releases: [name] };
  }
  return { ...common, type: 'release.published', ...name, purpose, channel, image: manifest.image.sha256 };
}

function versionTaken({ project, version, kind }: NewRelease['release']): DomainError {
  const message = `${project} already has a ${kind} ${version} with different bytes`;
  return new DomainError('version-taken', message, 'Use another version: the bytes of a release never change.');
}

interface Prepared {
  readonly manifest: Manifest;
  readonly key: RsaPublicKey | undefined;
  /** Undefined if the project does not exist yet. */
  readonly present: ProjectRecord | undefined;
  /** Project as it will be after the publication. */
  readonly record: ProjectRecord;
  /** Path to each artifact, by SHA-256. */
  readonly artifacts: ReadonlyMap<string, string>;
}

/** Checks everything that can be checked without reading the artifacts. */
async function prepare(
  { store, blobs }: Pick<ServiceParts, 'store' | 'blobs'>,
  question: PublishQuestion,
): Promise<Prepared> {
  const manifest = readManifest(question);
  const present = (await store.catalog.projects()).find(({ name }) => name === question.project);
  const key = namedKey(manifest);
  const record = await projectOf(store, question, present, key);
  if (question.request.purpose === 'serve') requireProjectKey(record, manifest, key);
  return { manifest, key, present, record, artifacts: await requireBlobs(blobs, manifest) };
}

/** Returns the manifest with the project and version from the request. For a reference build, only the image is kept. */
function readManifest({ project, request }: PublishQuestion): Manifest {
  const parsed = parseManifest(request.manifest);
  if ('reason' in parsed) throw invalidManifest(parsed);
  const { manifest } = parsed;
  const problems: string[] = [];
  const isOther = (there: string | undefined, here: string) => there !== undefined && there !== here;
  if (isOther(manifest.project, project))
    problems.push(`the manifest is for project ${manifest.project}, not ${project}`);
  if (isOther(manifest.version, request.version)) {
    problems.push(`the manifest is for version ${manifest.version}, not ${request.version}`);
  }
  if (manifest.board !== undefined && manifest.board.length > 64)
    problems.push('the board name is longer than 64 characters');
  if (request.purpose === 'reference' && manifest.image.kind !== 'sketch') {
    problems.push('only a sketch can be a reference build: devices report no digest of their files');
  }
  const unknown = request.allow.filter((rule) => !isRuleId(rule) && rule !== privateKeyRule);
  problems.push(...unknown.map((rule) => `unknown rule ${rule}`));
  if (new Set(manifest.artifacts.map(({ file }) => file)).size < manifest.artifacts.length) {
    problems.push('two artifacts have the same name');
  }
  const total = manifest.artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (manifest.artifacts.length > mostArtifacts || total > mostArtifacts * mostBlobBytes)
    problems.push(`more than ${mostArtifacts} artifacts, or more bytes than a build can have`);
  if (problems.length > 0) throw invalid(problems);
  const onlyImage = manifest.artifacts.filter(({ file }) => file === manifest.image.file);
  const artifacts = request.purpose === 'reference' ? onlyImage : manifest.artifacts;
  return { ...manifest, project, version: request.version, artifacts };
}

/** `pack` and `sign` create at most 5. */
const mostArtifacts = 8;
/** Number of releases read to determine whether this is the first publication. */
const mostLookedAt = 1000;

function invalid(problems: readonly string[]): DomainError {
  return new DomainError('invalid', problems.join('; '), 'Pack the build again with `ota-hooks pack`.', { problems });
}

function invalidManifest({ reason, newerFormat }: { reason: string; newerFormat?: number | undefined }): DomainError {
  const problems = [`invalid manifest: ${reason}`];
  if (newerFormat === undefined) return invalid(problems);
  return new DomainError('invalid', reason, 'Update ota-hooks on the server.', { problems });
}

function namedKey({ signing }: Manifest): RsaPublicKey | undefined {
  const { publicKey } = signing;
  if (publicKey === undefined) return undefined;
  try {
    const key = readPublicKey(publicKey.pem, 'the public key in the manifest');
    if (key.fingerprint === publicKey.fingerprint && key.bits === publicKey.bits) return key;
  } catch (error) {
    if (!(error instanceof OtaError)) throw error;
    throw invalid([error.message]);
  }
  throw invalid(['the fingerprint in the manifest does not match its public key']);
}

/**
 * Returns the project as it will be after the publication. An admin's first publication creates the project and registers its key.
 * Reference builds published before that do not count: they may be signed with any key or not at all.
 */
async function projectOf(
  { catalog }: Store,
  { project, isAdmin, request }: PublishQuestion,
  present: ProjectRecord | undefined,
  key: RsaPublicKey | undefined,
): Promise<ProjectRecord> {
  if (present !== undefined && (!isAdmin || present.keys.length > 0)) return present;
  if (isAdmin) {
    const before = present === undefined ? [] : await catalog.releases(project, { limit: mostLookedAt });
    const isFirst = request.purpose === 'serve' && before.every(({ purpose }) => purpose === 'reference');
    const keys = isFirst && key !== undefined ? [{ fingerprint: key.fingerprint, pem: key.pem }] : [];
    if (present === undefined) return newProject(project, keys);
    return keys.length === 0 ? present : { ...present, keys };
  }
  const hint = 'Publish with an admin token first: this creates the project and registers its public key.';
  throw new DomainError('not-found', `project ${project} not found`, hint);
}

function requireProjectKey({ name, keys }: ProjectRecord, manifest: Manifest, key: RsaPublicKey | undefined): void {
  const known = keys.map(({ fingerprint }) => `${fingerprint.slice(0, 16)}…`).join(', ');
  if (key === undefined && keys.length > 0) {
    const hint = 'Sign the build: devices would reject it, or stop verifying signatures after installing it.';
    throw new DomainError(
      'wrong-key',
      `releases of ${name} are signed with key ${known}, but this release is unsigned`,
      hint,
    );
  }
  if (key === undefined) return;
  if (!keys.some(({ fingerprint }) => fingerprint === key.fingerprint)) {
    const theirs = keys.length === 0 ? 'no key' : `key ${known}`;
    const message = `the release is signed with key ${key.fingerprint.slice(0, 16)}…, but ${name} has ${theirs}`;
    const hint =
      "Sign it with the project's key, or set all keys of the project with `ota-hooks server projects set --public-key` (repeatable).";
    throw new DomainError('wrong-key', message, hint);
  }
  if (manifest.artifacts.every(({ signature }) => signature === 'none')) {
    const hint = 'Sign the build with `ota-hooks sign --manifest FILE`.';
    throw new DomainError('wrong-key', 'no artifact of the release is signed', hint);
  }
}

async function requireBlobs(blobs: BlobStore, { artifacts }: Manifest): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const missing = [];
  for (const { file, sha256, sizeBytes } of artifacts) {
    if (found.has(sha256) || (await blobs.state(sha256)).complete) found.set(sha256, blobs.path(sha256));
    else missing.push({ file, sha256, sizeBytes });
  }
  if (missing.length === 0) return found;
  const names = missing.map(({ file }) => file).join(', ');
  throw new DomainError(
    'blobs-missing',
    `missing artifacts: ${names}`,
    'Upload the missing artifacts, then publish again.',
    {
      missing,
    },
  );
}

function requireAsDescribed({ differences, privateKey }: BuildAnswer, allow: readonly string[]): void {
  if (privateKey === 'signing-key') {
    const hint =
      'Remove the key from the build and generate a new pair: the image discloses the key that signs updates.';
    throw new DomainError('private-key', "the image contains the project's private key", hint);
  }
  if (differences.length > 0) {
    const hint = 'Pack the build again with the version of ota-hooks that the server runs.';
    throw new DomainError('not-as-described', differences.join('; '), hint, { problems: differences });
  }
  if (privateKey === undefined || allow.includes(privateKeyRule)) return;
  const hint = `Remove the key: every download of the image discloses it. If this is intended (a device's own TLS key), pass --allow ${privateKeyRule}.`;
  throw new DomainError('private-key', 'the image contains a private key', hint);
}

function judged(manifest: Manifest, { request }: PublishQuestion): readonly ReleaseFinding[] {
  if (request.purpose === 'reference') return [];
  const { blockedBy, warnings } = judgeRelease(manifest, { publishing: true, allow: new Set(request.allow) });
  const releaseFinding = ({ rule, message, fix }: ReleaseFinding) => ({ rule, message, fix });
  if (blockedBy.length === 0) return warnings.map(releaseFinding);
  const message = blockedBy.map((finding) => `${finding.message} (${finding.rule})`).join('; ');
  const rules = blockedBy.map(({ rule }) => `--allow ${rule}`).join(' ');
  const hint = `Fix: ${blockedBy.map(({ fix }) => fix).join('; ')}. To publish it despite this, pass ${rules}.`;
  throw new DomainError('blocked', message, hint, { blockedBy: blockedBy.map(releaseFinding) });
}
