import type { RolloutTally, UnprovenReports } from '../../../api/rollout-info.ts';
import { requiresCredentials } from '../../storage/device-credentials.ts';
import type { DeviceRecord, RolloutRecord } from '../../storage/records.ts';
import type { Evidence } from './evaluate-rollout.ts';
import { isMember, type MemberProgress, memberProgress } from './progress.ts';
import { stageOf } from './stage.ts';

interface Member {
  /** Revision of the record; older revisions are ignored. */
  readonly revision: number;
  readonly stage: number;
  readonly progress: MemberProgress;
  readonly withCredentials: boolean;
}

/** Maximum number of listed addresses; further addresses are only counted. */
const mostAddresses = 5;

type Counts = { -readonly [Key in keyof RolloutTally]: RolloutTally[Key] };

/**
 * Counts the devices in a rollout, using about 150 bytes per device. The counts depend only on stored records, so they can be recomputed
 * after a restart.
 */
export class Tally {
  readonly #rollout: RolloutRecord;
  readonly #members = new Map<string, Member>();
  readonly #stages: readonly Counts[];

  /** @param rollout rollout whose devices are counted; its state has no effect */
  constructor(rollout: RolloutRecord) {
    this.#rollout = rollout;
    this.#stages = rollout.stages.map(() => none());
  }

  /**
   * Updates the counts with a device's current record.
   *
   * @returns whether a count changed
   */
  note(record: DeviceRecord): boolean {
    const before = this.#members.get(record.mac);
    const { revision } = record;
    if (before !== undefined && before.revision > revision) return false;
    const rollout = this.#rollout;
    const after = isMember(rollout, record)
      ? {
          revision,
          stage: stageOf(rollout, record),
          progress: memberProgress(rollout, record),
          withCredentials: requiresCredentials(record),
        }
      : undefined;
    return this.#replace(record.mac, before, after);
  }

  forget(mac: string): boolean {
    return this.#replace(mac, this.#members.get(mac), undefined);
  }

  ofStage(index: number): RolloutTally {
    return sumOf(this.#stages.slice(index, index + 1));
  }

  /** Returns the combined tally for the first `count` stages. */
  ofStages(count: number): RolloutTally {
    return sumOf(this.#stages.slice(0, count));
  }

  /**
   * Returns the counts that determine the verdict on the rollout.
   *
   * @param openStages number of open stages
   * @param latestMs devices that have been running the release since this time or earlier have completed the soak time
   */
  evidence(openStages: number, latestMs: number): Evidence {
    const newest = openStages - 1;
    let soaked = 0;
    let soakedInNewest = 0;
    for (const { stage, progress } of this.#members.values()) {
      if (stage > newest || progress.state !== 'running' || progress.sinceMs > latestMs) continue;
      soaked++;
      if (stage === newest) soakedInNewest++;
    }
    return {
      all: this.ofStages(this.#stages.length),
      open: this.ofStages(openStages),
      newest: this.ofStage(newest),
      soaked,
      soakedInNewest,
      unprovenAddresses: () => this.#unprovenFailureAddresses(),
    };
  }

  /** Returns the sources of the results that were reported without credentials; undefined if there are none. */
  unproven(): UnprovenReports | undefined {
    const devicesAt = new Map<string, number>();
    for (const { progress } of this.#members.values()) {
      const address = unprovenSource(progress);
      if (address !== undefined) devicesAt.set(address, (devicesAt.get(address) ?? 0) + 1);
    }
    if (devicesAt.size === 0) return undefined;
    const most = [...devicesAt].map(([address, devices]) => ({ address, devices }));
    most.sort((a, b) => b.devices - a.devices);
    const devices = most.reduce((sum, each) => sum + each.devices, 0);
    return { devices, addresses: most.length, most: most.slice(0, mostAddresses) };
  }

  /** Returns the addresses from which failed devices downloaded the release without credentials. */
  #unprovenFailureAddresses(): ReadonlySet<string> {
    const failed = [...this.#members.values()].filter(({ progress }) => progress.state === 'failed');
    return new Set(failed.flatMap(({ progress }) => unprovenSource(progress) ?? []));
  }

  #replace(mac: string, before: Member | undefined, after: Member | undefined): boolean {
    const isSame =
      before?.stage === after?.stage &&
      before?.withCredentials === after?.withCredentials &&
      sameProgress(before?.progress, after?.progress);
    if (isSame) {
      if (after !== undefined) this.#members.set(mac, after);
      return false;
    }
    if (before !== undefined) this.#count(before, -1);
    if (after === undefined) this.#members.delete(mac);
    else {
      this.#members.set(mac, after);
      this.#count(after, 1);
    }
    return true;
  }

  #count({ stage, progress, withCredentials }: Member, by: 1 | -1): void {
    const counts = this.#stages[stage];
    if (counts === undefined) throw new Error(`there is no stage ${stage}`);
    counts.members += by;
    counts[progress.state] += by;
    if (withCredentials) counts.withCredentials += by;
    const isUnproven = unprovenSource(progress) !== undefined;
    if (progress.state === 'running' && isUnproven) counts.unproven += by;
    if (progress.state === 'blocked' && !progress.authenticated) counts.unprovenBlocked += by;
    if (progress.state !== 'failed') return;
    if (isUnproven) counts.unprovenFailed += by;
    if (progress.failure !== 'not-confirmed') return;
    counts.notConfirmed += by;
    if (isUnproven) counts.unprovenNotConfirmed += by;
  }
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

function sameProgress(a: MemberProgress | undefined, b: MemberProgress | undefined): boolean {
  if (a?.state !== b?.state || sourceOf(a) !== sourceOf(b)) return false;
  if (a?.state === 'failed' && b?.state === 'failed') return a.failure === b.failure;
  if (a?.state === 'blocked' && b?.state === 'blocked') return a.authenticated === b.authenticated;
  return !(a?.state === 'running' && b?.state === 'running') || a.sinceMs === b.sinceMs;
}

/** Returns the address of a result that was reported without credentials; undefined if there is no such result. */
function unprovenSource(progress: MemberProgress): string | undefined {
  if (progress.state !== 'running' && progress.state !== 'failed' && progress.state !== 'undelivered') return undefined;
  return progress.from?.authenticated === true ? undefined : (progress.from?.address ?? 'unknown');
}

function sourceOf(progress: MemberProgress | undefined): string | undefined {
  return progress && unprovenSource(progress);
}
