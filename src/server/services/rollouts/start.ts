import { setImmediate } from 'node:timers/promises';
import type * as v from 'valibot';
import type { RolloutStage, rolloutRequestSchema } from '../../../api/rollout.ts';
import type { Actor, DeviceRecord } from '../../storage/records.ts';
import type { NewRollout, Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import { requireNoLockOuts } from '../releases/fleet-lock-outs.ts';
import { yankedText } from '../releases/yanked-version.ts';
import { isMember } from './progress.ts';
import type { ServiceTime } from './service-clock.ts';
import { stageOf } from './stage.ts';

export interface StartInput {
  readonly project: string;
  readonly request: v.InferOutput<typeof rolloutRequestSchema>;
  readonly by: Actor;
  /** Second person, who has approved the start. */
  readonly approvedBy?: Actor | undefined;
  readonly now: ServiceTime;
}

const readAtOnce = 1000;

/**
 * Creates the record for a new rollout.
 *
 * @throws DomainError not-found: the version does not exist. conflict: the channel already serves the version. invalid: a canary is
 *   unknown, or no enrolled device can prove the release before it is sent to all devices.
 *   blocked: known devices could not be updated any more
 */
export async function prepareRollout(store: Store, question: StartInput): Promise<NewRollout> {
  const { project, request, by, approvedBy, now } = question;
  const { version, channel, gate, halt, window, perHour } = request;
  const releases = await store.catalog.withVersion(project, version);
  if (releases.length === 0) {
    const yanked = yankedText(await store.catalog.imagesOf(project, version));
    throw new DomainError(
      'not-found',
      yanked === undefined
        ? `${project} has no release ${version} to roll out`
        : `${project} ${version} was yanked (${yanked}) and cannot be rolled out`,
      'Publish the version with --draft. Yanked releases and reference builds cannot be rolled out.',
    );
  }
  const currentReleases = (await store.catalog.currentReleases(project)).filter((entry) => entry.channel === channel);
  const currentIds = currentReleases.map(({ release }) => release.id);
  if (releases.every(({ id }) => currentIds.includes(id))) {
    const hint = 'Publish the next version with --draft, and start its rollout before you promote it.';
    throw new DomainError('conflict', `${version} is already the current release of ${channel}`, hint);
  }
  const manifests = releases.filter(({ id }) => !currentIds.includes(id)).map(({ manifest }) => manifest);
  await requireNoLockOuts(store, { project, channel, manifests, allow: request.allow ?? [] });
  const stages = await knownStages(store, { ...request, project });
  return {
    project,
    channel,
    version,
    releaseIds: releases.map(({ id }) => id),
    previousIds: currentIds,
    stages,
    gate,
    halt,
    window,
    perHour,
    state: 'active',
    openStages: 1,
    accepted: { failed: 0, notConfirmed: 0, unprovenFailed: 0, unprovenNotConfirmed: 0 },
    unprovenResumes: 0,
    startedAt: now.wallMs,
    startedMs: now.servedMs,
    startedBy: by,
    history: [
      { at: now.wallMs, event: 'started', by },
      ...(approvedBy === undefined ? [] : [{ at: now.wallMs, event: 'approved', by: approvedBy }]),
    ],
    samples: [],
  };
}

/** Stages of a new rollout, before the canaries are known to exist. */
interface Draft {
  readonly project: string;
  readonly version: string;
  readonly channel: string;
  readonly stages: readonly RolloutStage[];
}

/** Resolves canaries to MACs, and requires an enrolled device that can prove the release before it is sent to all devices. */
async function knownStages(store: Store, draft: Draft): Promise<readonly RolloutStage[]> {
  const names = [...new Set(draft.stages.flatMap(({ canaries }) => canaries.map(macOf)))];
  const canaries = await enrolledCanaries(store, draft.project, names);
  const unknown = names.filter((name) => !canaries.has(name));
  if (unknown.length > 0) {
    const message = `no enrolled device has the name or MAC ${unknown.join(' or ')}`;
    throw new DomainError(
      'invalid',
      message,
      'Enroll the canaries, or use the MAC or display name of an enrolled device.',
    );
  }
  const stages = draft.stages.map((stage) => ({
    ...stage,
    canaries: stage.canaries.map((name) => canaries.get(macOf(name))?.mac ?? name),
  }));
  await requireProver(store, { ...draft, stages }, [...canaries.values()]);
  return stages;
}

/** Returns the enrolled devices by the names and MACs in the request. If devices share a name, the last MAC counts. */
async function enrolledCanaries(
  { devices }: Store,
  project: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, DeviceRecord>> {
  const found = new Map<string, DeviceRecord>();
  const add = (name: string, record: DeviceRecord | undefined) => {
    if (record?.enrolled === true) found.set(name, record);
  };
  if (names.length > 0) for (const record of await devices.named(project, names)) add(record.name ?? '', record);
  for (const mac of names.filter(isMac)) add(mac, (await devices.get(project, mac))?.record);
  return found;
}

/** Requires a member in the stages before the last. A fleet that can prove the release usually has such a device on the first page. */
async function requireProver({ devices }: Store, draft: Draft, canaries: readonly DeviceRecord[]): Promise<void> {
  const last = draft.stages.length - 1;
  const isMemberOf = (record: DeviceRecord) => isMember(draft, record);
  const isProver = (record: DeviceRecord) => isMemberOf(record) && (last === 0 || stageOf(draft, record) < last);
  let hasMember = false;
  if (canaries.some(isProver)) return;
  for (let after: string | undefined; ; ) {
    const page = await devices.list(draft.project, { after, limit: readAtOnce });
    if (page.some(({ record }) => isProver(record))) return;
    hasMember ||= page.some(({ record }) => isMemberOf(record));
    after = page.at(-1)?.record.mac;
    if (page.length < readAtOnce) break;
    await setImmediate();
  }
  const message = hasMember
    ? 'no enrolled device is in the stages before the last, so no failure could halt the rollout in time'
    : `no device of ${draft.project} is enrolled for ${draft.channel}, so no failure could halt the rollout`;
  const hint = 'Enroll devices (ota-hooks server devices enroll), add canaries, or enlarge the first stages.';
  throw new DomainError('invalid', message, hint);
}

function isMac(text: string): boolean {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text);
}

/** Returns a MAC in its stored form. Names are returned unchanged. */
function macOf(name: string): string {
  return isMac(name) ? name.toUpperCase() : name;
}
