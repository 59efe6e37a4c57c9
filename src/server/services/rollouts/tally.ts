import type { RolloutTally } from '../../../api/rollout-info.ts';
import type { DeviceRecord, RolloutRecord } from '../../storage/records.ts';
import { isMember, type Progress, progressOf } from './progress.ts';
import { stageOf } from './stage.ts';

interface Member {
  /** Of the record; what is older than that is no news. */
  readonly revision: number;
  readonly stage: number;
  readonly progress: Progress;
}

type Counts = { -readonly [Key in keyof RolloutTally]: RolloutTally[Key] };

/**
 * Counts the devices of a rollout while it goes on: about 150 bytes a device. What is counted is a function of the stored records alone,
 * so that it can be counted again after a restart.
 */
export class Tally {
  readonly #rollout: RolloutRecord;
  readonly #members = new Map<string, Member>();
  readonly #stages: readonly Counts[];

  /** @param rollout of which the devices are; its state does not matter here */
  constructor(rollout: RolloutRecord) {
    this.#rollout = rollout;
    this.#stages = rollout.stages.map(() => none());
  }

  /**
   * A record is as it is now.
   *
   * @returns whether anything that is counted changed
   */
  note(record: DeviceRecord): boolean {
    const before = this.#members.get(record.mac);
    const { revision } = record;
    if (before !== undefined && before.revision > revision) return false;
    const after = isMember(this.#rollout, record)
      ? { revision, stage: stageOf(this.#rollout, record), progress: progressOf(this.#rollout, record) }
      : undefined;
    return this.#replace(record.mac, before, after);
  }

  forget(mac: string): boolean {
    return this.#replace(mac, this.#members.get(mac), undefined);
  }

  ofStage(index: number): RolloutTally {
    return sumOf(this.#stages.slice(index, index + 1));
  }

  /** Of the first stages together. */
  ofStages(count: number): RolloutTally {
    return sumOf(this.#stages.slice(0, count));
  }

  /** Devices of the first stages that have run it since before then. */
  runningSince(count: number, latestMs: number): number {
    let running = 0;
    for (const { stage, progress } of this.#members.values()) {
      if (stage < count && progress.state === 'running' && progress.sinceMs <= latestMs) running++;
    }
    return running;
  }

  #replace(mac: string, before: Member | undefined, after: Member | undefined): boolean {
    const isSame = before?.stage === after?.stage && sameProgress(before?.progress, after?.progress);
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

  #count({ stage, progress }: Member, by: 1 | -1): void {
    const counts = this.#stages[stage];
    if (counts === undefined) throw new Error(`there is no stage ${stage}`);
    counts.members += by;
    counts[progress.state] += by;
    if (progress.state === 'failed' && isVanished(progress.failure)) counts.vanished += by;
  }
}

/** It took something and was not heard of since, the ladder case: whether all of it arrived is not always known. */
function isVanished(failure: string): boolean {
  return failure === 'vanished' || failure === 'silent';
}

export function noTally(): RolloutTally {
  return none();
}

/** Of several tallies together. */
export function sumOf(tallies: readonly RolloutTally[]): RolloutTally {
  return tallies.reduce(sum, none());
}

function none(): Counts {
  return { members: 0, waiting: 0, refused: 0, sent: 0, running: 0, failed: 0, vanished: 0 };
}

function sum(total: Counts, counts: RolloutTally): Counts {
  // The keys of Counts, which Object.keys does not know.
  for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key];
  return total;
}

function sameProgress(a: Progress | undefined, b: Progress | undefined): boolean {
  if (a?.state !== b?.state) return false;
  if (a?.state === 'failed' && b?.state === 'failed') return a.failure === b.failure;
  return !(a?.state === 'running' && b?.state === 'running') || a.sinceMs === b.sinceMs;
}
