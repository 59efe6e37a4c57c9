import type { SeenDevice, StoredReport } from '../../storage/records.ts';
import type { DeviceStore, Touch } from '../../storage/store.ts';

/** Minimum change that is written. Users need last-seen times only in hours and days. */
const precisionMs = 5 * 60_000;
/** Number of devices written in one batch. Small batches do not delay other writes for long. */
const writtenAtOnce = 200;
/** Limit on devices in memory. Beyond this limit, unwritten check-ins of other devices are dropped. */
const mostWaiting = 20_000;

/** Last-seen times of devices. They are written in batches, so a crash may lose the last few minutes. */
export class LastSeen {
  readonly #store: DeviceStore;
  readonly #waiting = new Map<string, Touch>();
  readonly #stored = new Map<string, number>();

  constructor(store: DeviceStore) {
    this.#store = store;
  }

  /** Caches the stored last-seen time of a device. */
  wasStored(project: string, mac: string, at: number | undefined): void {
    if (at === undefined) return;
    this.#stored.set(keyOf(project, mac), at);
    const [oldest] = this.#stored.keys();
    if (this.#stored.size > mostWaiting && oldest !== undefined) this.#stored.delete(oldest);
  }

  /**
   * Records a check-in.
   *
   * @param report called only if the report will be written
   */
  note(project: string, mac: string, at: number, report: () => StoredReport): void {
    const key = keyOf(project, mac);
    const stored = this.#stored.get(key);
    const isNews = stored === undefined || Math.abs(at - stored) >= precisionMs;
    if (!isNews || this.#waiting.has(key) || this.#waiting.size >= mostWaiting) return;
    this.#waiting.set(key, { project, mac, at, report: report() });
  }

  /** Returns the device with its newer check-in from memory, if there is one. */
  over(seen: SeenDevice): SeenDevice {
    const waiting = this.#waiting.get(keyOf(seen.record.project, seen.record.mac));
    return waiting === undefined ? seen : { ...seen, lastSeenAt: waiting.at, report: waiting.report };
  }

  async flush(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.entries()].slice(0, writtenAtOnce);
      for (const [key] of batch) this.#waiting.delete(key);
      await this.#store.touch(batch.map(([, touch]) => touch)).catch((error: unknown) => {
        for (const [key, touch] of batch) if (!this.#waiting.has(key)) this.#waiting.set(key, touch);
        throw error;
      });
      for (const [, { project, mac, at }] of batch) this.wasStored(project, mac, at);
    }
  }
}

function keyOf(project: string, mac: string): string {
  return `${mac}${project}`;
}
