import type { SeenDevice, StoredReport } from '../../storage/records.ts';
import type { DeviceStore, Touch } from '../../storage/store.ts';

/** A moment that is newer by less than this is not written: people look at days and hours. */
const precisionMs = 5 * 60_000;
/** So many at a time are written, so that nobody waits long behind them. */
const writtenAtOnce = 200;
/** What is waiting takes memory; beyond that many devices, what is not written yet is not remembered either. */
const mostWaiting = 20_000;

/** When devices were last seen. It costs no write when a device asks; a crash may lose minutes of it. */
export class LastSeen {
  readonly #store: DeviceStore;
  readonly #waiting = new Map<string, Touch>();
  readonly #stored = new Map<string, number>();

  constructor(store: DeviceStore) {
    this.#store = store;
  }

  /** What the store says already. */
  wasStored(project: string, mac: string, at: number | undefined): void {
    if (at === undefined) return;
    this.#stored.set(keyOf(project, mac), at);
    const [oldest] = this.#stored.keys();
    if (this.#stored.size > mostWaiting && oldest !== undefined) this.#stored.delete(oldest);
  }

  /** @param report asked for only when it is going to be written */
  note(project: string, mac: string, at: number, report: () => StoredReport): void {
    const key = keyOf(project, mac);
    const stored = this.#stored.get(key);
    const isNews = stored === undefined || Math.abs(at - stored) >= precisionMs;
    if (!isNews || this.#waiting.has(key) || this.#waiting.size >= mostWaiting) return;
    this.#waiting.set(key, { project, mac, at, report: report() });
  }

  /** What is stored, or what is newer. */
  over(seen: SeenDevice): SeenDevice {
    const waiting = this.#waiting.get(keyOf(seen.record.project, seen.record.mac));
    return waiting === undefined ? seen : { ...seen, lastSeenAt: waiting.at, report: waiting.report };
  }

  async flush(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.entries()].slice(0, writtenAtOnce);
      for (const [key] of batch) this.#waiting.delete(key);
      await this.#store.touch(batch.map(([, touch]) => touch));
      for (const [, { project, mac, at }] of batch) this.wasStored(project, mac, at);
    }
  }
}

function keyOf(project: string, mac: string): string {
  return `${mac}${project}`;
}
