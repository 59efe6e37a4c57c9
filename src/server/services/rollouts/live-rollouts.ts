import type { DeviceRecord, RolloutRecord } from '../../storage/records.ts';
import type { DeviceStore } from '../../storage/store.ts';
import { judgeRollout, type Verdict } from './judge-rollout.ts';
import type { ServiceClock } from './service-clock.ts';
import { Tally } from './tally.ts';

/** A rollout as it is, which may be ahead of what is stored, and how far its devices have come. */
export interface Live {
  rollout: RolloutRecord;
  readonly tally: Tally;
}

const readAtOnce = 1000;

/** The newest rollout of each channel, with its devices counted. */
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

  /** Nothing of it is counted yet. */
  add(rollout: RolloutRecord): Live {
    const live = { rollout, tally: new Tally(rollout) };
    this.#live.set(rollout.id, live);
    return live;
  }

  remove({ rollout }: Live): void {
    this.#live.delete(rollout.id);
  }

  /** Counts what is stored of a project's devices. */
  async count(project: string): Promise<void> {
    const live = this.of(project);
    let after: string | undefined;
    for (;;) {
      const page = await this.#devices.list(project, { after, limit: readAtOnce });
      for (const { record } of page) for (const { tally } of live) tally.note(record);
      after = page.at(-1)?.record.mac;
      if (page.length < readAtOnce) return;
      // Devices are answered meanwhile; what they change is noted, and is newer than what was read here.
      await new Promise(setImmediate);
    }
  }

  /**
   * A record was saved.
   *
   * @returns those in which something changed that is counted
   */
  note(record: DeviceRecord): Live[] {
    return this.of(record.project).filter(({ tally }) => tally.note(record));
  }

  /** What has to become of it by what is counted now. */
  verdictOf({ rollout, tally }: Live): Verdict {
    const { openStages, stages, gate } = rollout;
    const { servedMs } = this.#clock.now();
    return judgeRollout(rollout, {
      all: tally.ofStages(stages.length),
      open: tally.ofStages(openStages),
      soaked: tally.runningSince(openStages, servedMs - gate.soakMs),
    });
  }
}
