import type * as v from 'valibot';
import type { RolloutStage, rolloutRequestSchema } from '../../../api/rollout.ts';
import type { Actor, DeviceRecord } from '../../storage/records.ts';
import type { NewRollout, Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import { isMember } from './progress.ts';
import type { ServiceTime } from './service-clock.ts';
import { stageOf } from './stage.ts';

export interface StartInput {
  readonly project: string;
  readonly request: v.InferOutput<typeof rolloutRequestSchema>;
  readonly by: Actor;
  readonly now: ServiceTime;
}

const readAtOnce = 1000;

/**
 * Creates the record for a new rollout.
 *
 * @throws DomainError not-found: the version does not exist. conflict: the channel already serves the version. invalid: a canary is
 *   unknown, or no enrolled device can prove the release before it is sent to all devices
 */
export async function prepareRollout(store: Store, question: StartInput): Promise<NewRollout> {
  const { project, request, by, now } = question;
  const { version, channel, gate, halt } = request;
  const releases = await store.catalog.withVersion(project, version);
  if (releases.length === 0) {
    throw new DomainError(
      'not-found',
      `${project} has no release ${version} to roll out`,
      'Publish the version with --draft. Yanked releases and reference builds cannot be rolled out.',
    );
  }
  const currentReleases = (await store.catalog.currentReleases(project)).filter((entry) => entry.channel === channel);
  const currentIds = currentReleases.map(({ release }) => release.id);
  if (releases.every(({ id }) => currentIds.includes(id))) {
    const hint = 'Publish the next version with --draft, and start its rollout before you promote it.';
    throw new DomainError('conflict', `${version} is already the current release of ${channel}`, hint);
  }
  const stages = await knownStages(store, project, { ...request, project });
  return {
    project,
    channel,
    version,
    releaseIds: releases.map(({ id }) => id),
    previousIds: currentIds,
    stages,
    gate,
    halt,
    state: 'active',
    openStages: 1,
    accepted: { failed: 0, notConfirmed: 0, unprovenFailed: 0, unprovenNotConfirmed: 0 },
    unprovenResumes: 0,
    startedAt: now.wallMs,
    startedMs: now.servedMs,
    startedBy: by,
    history: [{ at: now.wallMs, event: 'started', by }],
    samples: [],
  };
}

/** Resolves canaries to MACs, and requires an enrolled device that can prove the release before it is sent to all devices. */
async function knownStages(
  store: Store,
  project: string,
  rollout: { project: string; version: string; channel: string; stages: readonly RolloutStage[] },
): Promise<readonly RolloutStage[]> {
  const macs = new Map<string, string>();
  const enrolled: DeviceRecord[] = [];
  for await (const record of enrolledDevices(store, project)) {
    macs.set(record.mac, record.mac);
    if (record.name !== undefined) macs.set(record.name, record.mac);
    enrolled.push(record);
  }
  const unknown = rollout.stages.flatMap(({ canaries }) => canaries).filter((name) => !macs.has(macOf(name)));
  if (unknown.length > 0) {
    const message = `no enrolled device has the name or MAC ${unknown.join(' or ')}`;
    throw new DomainError(
      'invalid',
      message,
      'Enroll the canaries, or use the MAC or display name of an enrolled device.',
    );
  }
  const stages = rollout.stages.map((stage) => ({
    ...stage,
    canaries: stage.canaries.map((name) => macs.get(macOf(name)) ?? name),
  }));
  requireProvers({ ...rollout, stages }, enrolled);
  return stages;
}

function requireProvers(
  rollout: { project: string; version: string; channel: string; stages: readonly RolloutStage[] },
  enrolled: readonly DeviceRecord[],
): void {
  const last = rollout.stages.length - 1;
  const members = enrolled.filter((record) => isMember(rollout, record));
  const isProvable = members.some((record) => last === 0 || stageOf(rollout, record) < last);
  if (isProvable) return;
  const message =
    members.length === 0
      ? `no device of ${rollout.project} is enrolled for ${rollout.channel}, so no failure could halt the rollout`
      : 'no enrolled device is in the stages before the last, so no failure could halt the rollout in time';
  const hint = 'Enroll devices (ota-hooks server devices enroll), add canaries, or enlarge the first stages.';
  throw new DomainError('invalid', message, hint);
}

async function* enrolledDevices(store: Store, project: string): AsyncGenerator<DeviceRecord> {
  let after: string | undefined;
  for (;;) {
    const page = await store.devices.list(project, { after, limit: readAtOnce });
    for (const { record } of page) if (record.enrolled) yield record;
    after = page.at(-1)?.record.mac;
    if (page.length < readAtOnce) return;
    await new Promise(setImmediate);
  }
}

/** Returns a MAC in its stored form. Names are returned unchanged. */
function macOf(name: string): string {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(name) ? name.toUpperCase() : name;
}
