import type { BlobStore } from '../storage/blob-store.ts';
import type { Store } from '../storage/store.ts';
import type { ServiceClock } from './rollouts/service-clock.ts';

/** Reason why the server cannot do a part of its work. */
export type HealthProblem = 'records-unwritable' | 'disk-full' | 'uploads-refused';

interface Parts {
  readonly store: Pick<Store, 'setServedMs'>;
  readonly blobs: Pick<BlobStore, 'room'>;
  readonly clock: ServiceClock;
}

/** Anyone may request the health, and each check writes to the disk, so its result is used for a second. */
const reusedMs = 1000;
/** Below this part of the reserve, records may not fit any more: the disk counts as full. */
const fullBelow = 1 / 8;

/** Finds out whether the server can do its work, by doing a part of it. */
export class Health {
  readonly #parts: Parts;
  readonly #now: () => number;
  #last: { readonly at: number; readonly problems: Promise<readonly HealthProblem[]> } | undefined;

  /** @param now monotonic clock in milliseconds */
  constructor(parts: Parts, now: () => number = () => performance.now()) {
    this.#parts = parts;
    this.#now = now;
  }

  problems(): Promise<readonly HealthProblem[]> {
    if (this.#last === undefined || this.#now() - this.#last.at >= reusedMs) {
      this.#last = { at: this.#now(), problems: this.#check() };
    }
    return this.#last.problems;
  }

  async #check(): Promise<readonly HealthProblem[]> {
    const [canWrite, room] = await Promise.all([this.#canWrite(), this.#parts.blobs.room().catch(() => undefined)]);
    const problems: HealthProblem[] = canWrite ? [] : ['records-unwritable'];
    if (room === undefined || room.freeBytes < room.reserveBytes * fullBelow) problems.push('disk-full');
    if (room === undefined || room.freeBytes < room.reserveBytes) problems.push('uploads-refused');
    return problems;
  }

  async #canWrite(): Promise<boolean> {
    const { store, clock } = this.#parts;
    try {
      await store.setServedMs(clock.now().servedMs);
      return true;
    } catch {
      return false;
    }
  }
}
