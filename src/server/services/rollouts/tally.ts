import { isDeepStrictEqual } from 'node:util';
import type { MemberSelectionName, MemberStatus, RolloutTally } from '../../../api/rollout-info.ts';
import { requiresCredentials } from '../../storage/device-credentials.ts';
import type { DeviceRecord, RolloutMember, RolloutRecord } from '../../storage/records.ts';
import type { RolloutCount } from '../../storage/store.ts';
import type { Evidence } from './evaluate-rollout.ts';
import { isMember, type MemberProgress, memberProgress } from './progress.ts';
import { stageOf } from './stage.ts';

/** Properties of a member that the counts distinguish, besides its stage. The store keeps them as one text. */
interface Kind {
  readonly state: MemberProgress['state'];
  /** True if the device sent no request after the download started. */
  readonly isNotConfirmed: boolean;
  /** True if the result was reported without credentials. */
  readonly isUnproven: boolean;
  readonly hasCredentials: boolean;
}

type Counts = { -readonly [Key in keyof RolloutTally]: RolloutTally[Key] };

/** Words for the properties in the text of a kind. */
const words = { isNotConfirmed: 'not-confirmed', isUnproven: 'unproven', hasCredentials: 'with-credentials' } as const;

/**
 * Returns a device's contribution to the counts of a rollout; undefined if the rollout does not count the device. The contribution depends
 * only on the stored record and on facts of the rollout that never change.
 */
export function memberOf(rollout: RolloutRecord, record: DeviceRecord): RolloutMember | undefined {
  if (!isMember(rollout, record)) return undefined;
  const progress = memberProgress(rollout, record);
  const address = unprovenSource(progress);
  const kind = kindText({
    state: progress.state,
    isNotConfirmed: progress.state === 'failed' && progress.failure === 'not-confirmed',
    isUnproven: progress.state === 'blocked' ? !progress.authenticated : address !== undefined,
    hasCredentials: requiresCredentials(record),
  });
  const sinceMs = progress.state === 'running' ? progress.sinceMs : undefined;
  return { stage: stageOf(rollout, record), kind, sinceMs, address };
}

/** Returns whether a change of a device's contribution can make a halt rule apply: a new failure, or one updated device less. */
export function mayHalt(before: RolloutMember | undefined, after: RolloutMember | undefined): boolean {
  if (before?.kind === after?.kind) return false;
  const isFailed = after !== undefined && readKind(after.kind).state === 'failed';
  return isFailed || (before !== undefined && readKind(before.kind).state === 'running');
}

/** Returns whether a selection that does not depend on stages includes the members of a kind. */
export function isSelected(text: string, selection: Exclude<MemberSelectionName, 'waiting'>): boolean {
  const kind = readKind(text);
  switch (selection) {
    case 'not-confirmed':
      return kind.isNotConfirmed;
    case 'unproven':
      return kind.isUnproven && kind.state !== 'blocked';
    case 'with-credentials':
      return kind.hasCredentials;
    case 'without-credentials':
      return !kind.hasCredentials;
    default:
      return kind.state === selection;
  }
}

export function countOf(counts: readonly Pick<RolloutCount, 'devices'>[]): number {
  return counts.reduce((sum, { devices }) => sum + devices, 0);
}

/** Describes the progress of a kind's members in a rollout of `version`, as it was when the rollout ended. */
export function finalProgress(
  text: string,
  version: string,
): { readonly status: MemberStatus; readonly reason: string } {
  const { state: status, isNotConfirmed } = readKind(text);
  const reasons: Readonly<Record<MemberStatus, string>> = {
    pending: `${version} had not been sent to the device.`,
    updating: `A download of ${version} had started.`,
    running: `Ran ${version}.`,
    undelivered: `Ran ${version}, but had not downloaded it from this server.`,
    failed: isNotConfirmed
      ? `${version} not confirmed: the device had sent no request since the download.`
      : `${version} not installed: the device ran a different build.`,
    blocked: `The device could not take ${version}.`,
  };
  return { status, reason: reasons[status] };
}

/** Returns the tally of each stage. */
export function talliesOf({ stages }: Pick<RolloutRecord, 'stages'>, counts: readonly RolloutCount[]): RolloutTally[] {
  return stages.map((_, index) => {
    const tally = none();
    for (const { stage, kind, devices } of counts) if (stage === index) add(tally, readKind(kind), devices);
    return tally;
  });
}

/** Kinds of the members that run the release. */
export const runningKinds = kindsOf('running');
/** Kinds of the members that failed to install the release. */
export const failedKinds = kindsOf('failed');

/** Facts for the evidence that require more than the counts. */
interface MemberFacts {
  /** Devices that have been running the release for the gate's soak time, by stage. */
  readonly soaked: readonly { readonly stage: number; readonly devices: number }[];
  readonly unprovenAddresses: Evidence['unprovenAddresses'];
}

/** Lowers the accepted failures to the failures that still exist. Returns the same object if nothing changes. */
export function withLoweredAcceptance(rollout: RolloutRecord, tally: RolloutTally): RolloutRecord {
  const { failed, notConfirmed, unprovenFailed, unprovenNotConfirmed } = rollout.accepted;
  const accepted = {
    failed: Math.min(failed, tally.failed),
    notConfirmed: Math.min(notConfirmed, tally.notConfirmed),
    unprovenFailed: Math.min(unprovenFailed, tally.unprovenFailed),
    unprovenNotConfirmed: Math.min(unprovenNotConfirmed, tally.unprovenNotConfirmed),
  };
  return isDeepStrictEqual(accepted, rollout.accepted) ? rollout : { ...rollout, accepted };
}

/** Returns the counts that determine the verdict on the rollout. */
export function evidenceOf(
  { openStages }: Pick<RolloutRecord, 'openStages'>,
  tallies: readonly RolloutTally[],
  { soaked, unprovenAddresses }: MemberFacts,
): Evidence {
  const newest = openStages - 1;
  const soakedIn = (isMeant: (stage: number) => boolean) =>
    soaked.reduce((sum, { stage, devices }) => sum + (isMeant(stage) ? devices : 0), 0);
  return {
    all: sumOf(tallies),
    open: sumOf(tallies.slice(0, openStages)),
    newest: tallies[newest] ?? noTally(),
    soaked: soakedIn((stage) => stage <= newest),
    soakedInNewest: soakedIn((stage) => stage === newest),
    unprovenAddresses,
  };
}

/** Returns the evidence under the assumption that all updated devices have completed the soak time. */
export function optimisticEvidence(
  rollout: Pick<RolloutRecord, 'openStages'>,
  tallies: readonly RolloutTally[],
): Evidence {
  const soaked = tallies.map(({ running }, stage) => ({ stage, devices: running }));
  return evidenceOf(rollout, tallies, { soaked, unprovenAddresses: 0 });
}

export function noTally(): RolloutTally {
  return none();
}

/** Adds up tallies. */
export function sumOf(tallies: readonly RolloutTally[]): RolloutTally {
  return tallies.reduce(sum, none());
}

function none(): Counts {
  return {
    members: 0,
    pending: 0,
    blocked: 0,
    updating: 0,
    running: 0,
    failed: 0,
    notConfirmed: 0,
    undelivered: 0,
    unproven: 0,
    unprovenFailed: 0,
    unprovenNotConfirmed: 0,
    unprovenBlocked: 0,
    withCredentials: 0,
  };
}

function sum(total: Counts, counts: RolloutTally): Counts {
  // The type assertion is safe: the type of `Object.keys` does not preserve the keys of `Counts`.
  for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key];
  return total;
}

function add(tally: Counts, { state, isNotConfirmed, isUnproven, hasCredentials }: Kind, devices: number): void {
  tally.members += devices;
  tally[state] += devices;
  if (hasCredentials) tally.withCredentials += devices;
  if (isNotConfirmed) tally.notConfirmed += devices;
  if (!isUnproven) return;
  if (state === 'running') tally.unproven += devices;
  if (state === 'blocked') tally.unprovenBlocked += devices;
  if (state === 'failed') tally.unprovenFailed += devices;
  if (isNotConfirmed) tally.unprovenNotConfirmed += devices;
}

function kindText({ state, isNotConfirmed, isUnproven, hasCredentials }: Kind): string {
  const found = [
    isNotConfirmed && words.isNotConfirmed,
    isUnproven && words.isUnproven,
    hasCredentials && words.hasCredentials,
  ];
  return [state, ...found.filter((word) => word !== false)].join(' ');
}

function readKind(text: string): Kind {
  const [state, ...found] = text.split(' ');
  return {
    // The text was written by `kindText`.
    state: state as Kind['state'],
    isNotConfirmed: found.includes(words.isNotConfirmed),
    isUnproven: found.includes(words.isUnproven),
    hasCredentials: found.includes(words.hasCredentials),
  };
}

function kindsOf(state: Kind['state']): readonly string[] {
  const either = [false, true];
  const all = either.flatMap((isNotConfirmed) =>
    either.flatMap((isUnproven) =>
      either.map((hasCredentials) => ({ state, isNotConfirmed, isUnproven, hasCredentials })),
    ),
  );
  return all.map(kindText);
}

/** Returns the address of a result that was reported without credentials; undefined if there is no such result. */
function unprovenSource(progress: MemberProgress): string | undefined {
  if (progress.state !== 'running' && progress.state !== 'failed' && progress.state !== 'undelivered') return undefined;
  return progress.from?.authenticated === true ? undefined : (progress.from?.address ?? 'unknown');
}
