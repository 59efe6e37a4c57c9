import type { SeenDevice, StoredReport } from '../../storage/records.ts';
import type { DeviceStore, Touch } from '../../storage/store.ts';

/** Number of devices written in one batch. Small batches do not delay other writes for long. */
const writtenAtOnce = 200;
/**
 * Maximum number of devices in memory: 20,000 in 30 s are more than 600 requests per second. Check-ins of further devices are dropped until
 * the next write.
 */
const mostWaiting = 20_000;

/** Last-seen times of devices that are not written yet. A crash loses the last 30 s. */
export class LastSeen {
  readonly #store: DeviceStore;
  readonly #waiting = new Map<string, Touch>();

  constructor(store: DeviceStore) {
    this.#store = store;
  }

  /** Records a check-in. */
  note(project: string, mac: string, at: number, report: StoredReport): void {
    const key = keyOf(project, mac);
    if (this.#waiting.size >= mostWaiting && !this.#waiting.has(key)) return;
    this.#waiting.set(key, { project, mac, at, report });
  }

  /** Returns the device with its check-in from memory, unless another process has stored a newer one. */
  over(seen: SeenDevice): SeenDevice {
    const waiting = this.#waiting.get(keyOf(seen.record.project, seen.record.mac));
    if (waiting === undefined || waiting.at < (seen.lastSeenAt ?? 0)) return seen;
    return { ...seen, lastSeenAt: waiting.at, report: waiting.report };
  }

  /** Writes the check-ins. */
  async flush(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, writtenAtOnce);
      await this.#store.touch(batch.map(([, touch]) => touch));
      for (const [key, touch] of batch) if (this.#waiting.get(key) === touch) this.#waiting.delete(key);
    }
  }
}

function keyOf(project: string, mac: string): string {
  return `${mac}${project}`;
}
