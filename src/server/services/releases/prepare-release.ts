import type * as v from 'valibot';
import { privateKeyRule, type releaseRequestSchema } from '../../../api/release.ts';
import { type RsaPublicKey, readPublicKey } from '../../../core/keys/public-key.ts';
import { type InvalidManifest, type Manifest, parseManifest } from '../../../core/model/manifest.ts';
import { rulesAllowedByProject } from '../../../core/preflight/project-rules.ts';
import { isRuleId } from '../../../core/preflight/registry.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { permits } from '../../auth/permissions.ts';
import type { Actor, ProjectRecord, ReleaseRecord, TokenRecord } from '../../storage/records.ts';
import { beyondReleaseLimits } from '../../storage/release-record.ts';
import type { Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import type { ServiceParts } from '../parts.ts';
import { requireNoLockOuts } from './fleet-lock-outs.ts';
import { newProject } from './project.ts';
import {
  requireAllowedRules,
  requireChannel,
  requireNewImage,
  requireNotServedBefore,
  requireNotStopped,
  requireReference,
} from './publisher-limits.ts';
import type { Uploader } from './uploads.ts';
import { yankedText } from './yanked-version.ts';

export interface PublishInput {
  readonly project: string;
  readonly request: v.InferOutput<typeof releaseRequestSchema>;
  readonly by: Actor;
  readonly publisher: Omit<TokenRecord, 'hash' | 'name' | 'createdAt'>;
}

/** Publication whose request, project and key were checked. */
export interface PreparedRelease {
  readonly manifest: Manifest;
  readonly key: RsaPublicKey | undefined;
  /** Project before the publication; undefined if the project does not exist yet. */
  readonly present: ProjectRecord | undefined;
  /** Project as it will be after the publication. */
  readonly record: ProjectRecord;
  /** SHA-256 of each artifact. */
  readonly digests: readonly string[];
}

/**
 * Checks the parts of a publication that do not require reading the artifacts.
 *
 * @throws DomainError invalid, not-found, role-missing, wrong-key, conflict, image-known, blocked, blobs-missing
 */
export async function prepareRelease(
  { store, uploads }: Pick<ServiceParts, 'store' | 'uploads'>,
  question: PublishInput,
): Promise<PreparedRelease> {
  const manifest = readManifest(question);
  const present = (await store.catalog.project(question.project))?.project;
  const key = namedKey(manifest);
  const record = await projectOf(store, question, present, key);
  const { publisher, request } = question;
  const allowedByManifest = request.purpose === 'serve' ? rulesAllowedByProject(manifest) : [];
  requireAllowedRules(publisher, record, [...new Set([...request.allow, ...allowedByManifest])]);
  if (request.purpose === 'reference') requireReference(publisher);
  if (request.purpose === 'serve' && !request.draft) await requirePublishable(store, question, manifest);
  if (request.purpose === 'serve') requireProjectKey(record, manifest, key);
  if (request.purpose === 'serve') await requireNotYanked(store, question, manifest);
  await requireNewImage(store, publisher, { manifest, project: question.project, version: request.version });
  if (request.purpose === 'serve' && !request.draft) await requireForward(store, question, manifest);
  return { manifest, key, present, record, digests: await requireBlobs(manifest, publisher, uploads) };
}

/**
 * Requires that a new image does not belong to a version of which all images were yanked: it would make the version available again. The
 * repeated publication of a yanked image changes nothing.
 */
async function requireNotYanked(
  { catalog }: Store,
  { project, request }: PublishInput,
  { image, board = '' }: Manifest,
): Promise<void> {
  const { version } = request;
  const images = await catalog.imagesOf(project, version);
  const yanked = yankedText(images);
  if (yanked === undefined || images.some((each) => each.kind === image.kind && each.board === board)) return;
  throw new DomainError(
    'conflict',
    `${project} ${version} was yanked (${yanked}), so no further image of it can be published`,
    'Use a different version: a yanked version stays unavailable.',
  );
}

/** Requires that the token may promote the release, which may exist as a draft, to the channel of the request. */
async function requirePublishable(
  store: Store,
  { project, request, publisher }: PublishInput,
  manifest: Manifest,
): Promise<void> {
  const { image, board = '' } = manifest;
  const { channel, version } = request;
  requireChannel(publisher, channel);
  const draft = await store.catalog.find(project, { version, kind: image.kind, board });
  if (draft !== undefined) await requireNotStopped(store, publisher, { project, chosen: [draft] });
}

/**
 * Requires that the channel of the request has not served the bytes before under a different version or board, and that the release locks no
 * device out.
 */
async function requireForward(
  store: Store,
  { project, request, publisher }: PublishInput,
  manifest: Manifest,
): Promise<void> {
  const { channel, version } = request;
  const { image, board = '' } = manifest;
  const before = await store.catalog.promotedBefore(project, channel, Number.MAX_SAFE_INTEGER);
  const isSame = (release: ReleaseRecord) =>
    release.version === version && release.kind === image.kind && release.board === board;
  // Publishing a release again on a channel that has served it before changes nothing.
  if (before.some(isSame)) return;
  await requireNotServedBefore(store, publisher, { project, channel, release: { version, manifest } });
  await requireNoLockOuts(store, { project, channel, manifests: [manifest], allow: request.allow });
}

/** Returns the manifest with the project and version from the request. For a reference build, only the image is kept. */
function readManifest({ project, request }: PublishInput): Manifest {
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
  if (request.purpose === 'reference' && manifest.image.kind !== 'sketch') {
    problems.push('only a sketch can be a reference build: devices do not report a digest of their filesystem');
  }
  const unknown = request.allow.filter((rule) => !isRuleId(rule) && rule !== privateKeyRule);
  problems.push(...unknown.map((rule) => `unknown rule ${rule}`));
  problems.push(...beyondReleaseLimits(manifest));
  if (problems.length > 0) throw invalid(problems);
  const onlyImage = manifest.artifacts.filter(({ file }) => file === manifest.image.file);
  const artifacts = request.purpose === 'reference' ? onlyImage : manifest.artifacts;
  return { ...manifest, project, version: request.version, artifacts };
}

/** Number of releases read to determine whether this is the first publication. */
const mostLookedAt = 1000;

function invalid(problems: readonly string[]): DomainError {
  return new DomainError('invalid', problems.join('; '), 'Pack the build again with `ota-hooks pack`.', { problems });
}

function invalidManifest({ reason, newerFormat }: InvalidManifest): DomainError {
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
 * Returns the project as it will be after the publication. An admin's first publication creates the project and registers its key. Earlier
 * reference builds do not count as a first publication, because they may be unsigned or signed with any key.
 */
async function projectOf(
  { catalog }: Store,
  { project, publisher, request }: PublishInput,
  present: ProjectRecord | undefined,
  key: RsaPublicKey | undefined,
): Promise<ProjectRecord> {
  const isAdmin = permits(publisher, 'projects');
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
    const hint =
      'Sign the build. Devices would reject an unsigned build, or stop verifying signatures after installing it.';
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
  const { previousKey } = manifest.signing;
  if (previousKey !== undefined && !keys.some(({ fingerprint }) => fingerprint === previousKey.fingerprint)) {
    const message = `the release is a hop from key ${previousKey.fingerprint.slice(0, 16)}…, but ${name} has key ${known}`;
    const hint =
      'Set all keys of the project, also the previous one, with `ota-hooks server projects set --public-key`.';
    throw new DomainError('wrong-key', message, hint);
  }
  if (manifest.artifacts.every(({ signature }) => signature === 'none')) {
    const hint = 'Sign the build with `ota-hooks sign --manifest FILE`.';
    throw new DomainError('wrong-key', 'no artifact of the release is signed', hint);
  }
}

async function requireBlobs(
  { artifacts }: Manifest,
  publisher: Uploader,
  uploads: ServiceParts['uploads'],
): Promise<readonly string[]> {
  const found = new Set<string>();
  const missing = [];
  for (const { file, sha256, sizeBytes } of artifacts) {
    if (found.has(sha256) || (await uploads.keep(publisher, { sha256, sizeBytes }))) found.add(sha256);
    else missing.push({ file, sha256, sizeBytes });
  }
  if (missing.length === 0) return [...found];
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
