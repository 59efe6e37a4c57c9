import type { DeviceRecord, RolloutRecord } from '../../storage/records.ts';
import type { DeviceStore } from '../../storage/store.ts';
import { evaluateRollout, type RolloutVerdict } from './evaluate-rollout.ts';
import type { ServiceClock } from './service-clock.ts';
import { Tally } from './tally.ts';

/** Rollout in memory, with its device tally. It may be newer than the stored rollout. */
export interface Live {
  rollout: RolloutRecord;
  readonly tally: Tally;
}

const readAtOnce = 1000;

/** Newest rollout on each channel, with its device tally. */
export class LiveRollouts {
  readonly #devices: DeviceStore;
  readonly #clock: ServiceClock;
  readonly #live = new Map<number, Live>();

  constructor(devices: DeviceStore, clock: ServiceClock) {
    this.#devices = devices;
    this.#clock = clock;
  }

  all(): Live[] {
    return [...this.#live.values()];
  }

  of(project: string): Live[] {
    return this.all().filter(({ rollout }) => rollout.project === project);
  }

  get(id: number): Live | undefined {
    return this.#live.get(id);
  }

  /** Adds a rollout with an empty tally. */
  add(rollout: RolloutRecord): Live {
    const live = { rollout, tally: new Tally(rollout) };
    this.#live.set(rollout.id, live);
    return live;
  }

  remove({ rollout }: Live): void {
    this.#live.delete(rollout.id);
  }

  /** Counts a project's stored devices. */
  async count(project: string): Promise<void> {
    const live = this.of(project);
    let after: string | undefined;
    for (;;) {
      const page = await this.#devices.list(project, { after, limit: readAtOnce });
      for (const { record } of page) for (const { tally } of live) tally.note(record);
      after = page.at(-1)?.record.mac;
      if (page.length < readAtOnce) return;
      // Device requests are handled between pages. Their changes are newer than the page that was just read.
      await new Promise(setImmediate);
    }
  }

  /**
   * Updates the tallies with a saved record.
   *
   * @returns the rollouts whose counts changed
   */
  note(record: DeviceRecord): Live[] {
    return this.of(record.project).filter(({ tally }) => tally.note(record));
  }

  /** Evaluates a rollout from its current counts. */
  verdictOf({ rollout, tally }: Live): RolloutVerdict {
    const { openStages, gate } = rollout;
    const { servedMs } = this.#clock.now();
    return evaluateRollout(rollout, tally.evidence(openStages, servedMs - gate.soakMs));
  }
}
