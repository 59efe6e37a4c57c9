import { isDeepStrictEqual } from 'node:util';
import { privateKeyRule } from '../../../api/release.ts';
import type { ReleaseFinding } from '../../../api/release-info.ts';
import { readPublicKey } from '../../../core/keys/public-key.ts';
import type { Manifest } from '../../../core/model/manifest.ts';
import { didYouMean } from '../../../core/model/nearest-names.ts';
import { checkRelease } from '../../../core/preflight/check-release.ts';
import { rulesAllowedByProject } from '../../../core/preflight/project-rules.ts';
import { permits } from '../../auth/permissions.ts';
import type { Actor, ProjectRecord, ReleaseRecord } from '../../storage/records.ts';
import type { NewRelease, PublicationResult } from '../../storage/store.ts';
import { requireApproval } from '../approvals/require-approval.ts';
import { DomainError } from '../domain-error.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import type { DomainEvent } from '../events/domain-event.ts';
import type { ServiceParts } from '../parts.ts';
import { requireFreeChannel } from '../rollouts/rollouts.ts';
import { type PublishInput, prepareRelease } from './prepare-release.ts';
import { projectEvent } from './project.ts';
import type { ProjectView } from './project-view.ts';
import { setReleaseNotes } from './release-notes.ts';
import type { BuildVerification } from './verify-build.ts';
import { withLatestView } from './with-latest-view.ts';

export interface PublishOutcome {
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
  { store, blobs, uploads, verifier }: Pick<ServiceParts, 'store' | 'blobs' | 'uploads' | 'verifier'>,
  question: PublishInput,
): Promise<VerifiedRelease> {
  const { manifest, key, record, digests } = await prepareRelease({ store, uploads }, question);
  const projectKeys = record.keys.map(({ pem, fingerprint }) => readPublicKey(pem, fingerprint));
  const verification = await blobs.withFiles(digests, (files) =>
    verifier.verify(question.project, { manifest, blobs: files, key, projectKeys }),
  );
  requireAsDescribed(verification, question.request.allow);
  return {
    projectKeys: record.keys.map(({ fingerprint }) => fingerprint),
    warnings: requireAllowed(manifest, question),
  };
}

/**
 * Publishes a verified release in one step.
 *
 * @throws DomainError conflict, version-taken, and the `verifyRelease` errors
 */
export async function publishRelease(
  parts: Pick<ServiceParts, 'store' | 'uploads' | 'catalog' | 'events'>,
  question: PublishInput,
  verified: VerifiedRelease,
): Promise<PublishOutcome> {
  const { project, request, by } = question;
  const channel = request.purpose === 'serve' && !request.draft ? request.channel : undefined;
  const { result, events } = await withLatestView(parts.catalog, project, async (view) => {
    if (channel !== undefined) {
      requireApproval(view, undefined, 'Publish a draft (--draft), then request the approval of its promotion.');
      requireFreeChannel(view, channel);
    }
    // Check the request again: during verification, an admin may have changed the project, or uploads may have been removed.
    const { manifest, record, present } = await prepareRelease(parts, question);
    requireSameKeys(record, verified);
    const release = newRelease(question, manifest);
    const created = record === present ? undefined : projectEvent(present, record, by);
    const eventsOf = (outcome: 'published' | 'promoted') =>
      [created, releaseEvent(outcome, release, channel, by)].filter((event) => event !== undefined);
    const result = await parts.store.catalog.publish({
      release,
      channel,
      isTrusted: permits(question.publisher, 'reference'),
      project: created && record,
      projectRevision: view?.revision ?? 0,
      audit: (outcome) => eventsOf(outcome).map(auditEntryOf),
    });
    const { outcome } = result;
    if (outcome === 'version-taken') throw versionTaken(release);
    return { result: { ...result, outcome }, events: outcome === 'unchanged' ? [] : eventsOf(outcome) };
  });
  const view = await parts.catalog.refresh(project);
  for (const event of events) parts.events.emit(event);
  // Notes describe the whole version, so a further image may bring new notes.
  const { version, notes } = request;
  if (notes !== undefined) await setReleaseNotes(parts, { project, version, notes, by });
  const { outcome, release } = result;
  return { outcome, release, warnings: [...verified.warnings, ...boardWarnings(view, release)] };
}

/** Warns about a reference build whose board has no current release: devices that run it are recognized, but sent nothing. */
function boardWarnings(
  view: ProjectView | undefined,
  { project, board, purpose }: ReleaseRecord,
): readonly ReleaseFinding[] {
  const current = [...(view?.channels.values() ?? [])].flatMap((channel) => channel.current.map((each) => each.board));
  // A release without a board is for every board.
  if (purpose !== 'reference' || current.length === 0 || [board, ''].some((each) => current.includes(each))) return [];
  const message =
    board === ''
      ? `the reference build has no board, but all current releases of ${project} have one`
      : `no current release of ${project} is for the board ${board}`;
  const fix = `${didYouMean(board, current)}Publish a release for this board, or the reference build with --board ${[...new Set(current)].join(' or ')}`;
  return [{ rule: 'board-unknown', message, fix }];
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

function newRelease({ project, request }: PublishInput, manifest: Manifest): NewRelease['release'] {
  const { version, purpose } = request;
  const { kind } = manifest.image;
  return { project, version, kind, board: manifest.board ?? '', purpose, publishedAt: Date.now(), manifest };
}

/** Describes a publication. A release that already exists can only be promoted to a different channel. */
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
  return new DomainError('version-taken', message, 'Use a different version: the bytes of a release never change.');
}

function requireAsDescribed({ differences, privateKey }: BuildVerification, allow: readonly string[]): void {
  if (privateKey === 'signing-key') {
    const hint =
      'Remove the key from the build and generate a new key pair: the image discloses the key that signs updates.';
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

function requireAllowed(manifest: Manifest, { request }: PublishInput): readonly ReleaseFinding[] {
  if (request.purpose === 'reference') return [];
  const allow = new Set<string>([...request.allow, ...rulesAllowedByProject(manifest)]);
  const { blockedBy, warnings } = checkRelease(manifest, { publishing: true, allow });
  const releaseFinding = ({ rule, message, fix }: ReleaseFinding) => ({ rule, message, fix });
  if (blockedBy.length === 0) return warnings.map(releaseFinding);
  const message = blockedBy.map((finding) => `${finding.message} (${finding.rule})`).join('; ');
  const rules = blockedBy.map(({ rule }) => `--allow ${rule}`).join(' ');
  const hint = `Fix: ${blockedBy.map(({ fix }) => fix).join('; ')}. To publish the release anyway, pass ${rules}.`;
  throw new DomainError('blocked', message, hint, { blockedBy: blockedBy.map(releaseFinding) });
}
