import type { BlobStore } from '../storage/blob-store.ts';
import type { Store } from '../storage/store.ts';
import type { Catalog } from './releases/catalog.ts';
import type { ServiceClock } from './rollouts/service-clock.ts';

/** Reason why the server cannot do a part of its work. */
export type HealthProblem = 'records-unwritable' | 'disk-full' | 'uploads-refused' | 'firmware-missing';

interface Parts {
  readonly store: Pick<Store, 'setServedMs'>;
  readonly blobs: Pick<BlobStore, 'room' | 'state'>;
  readonly catalog: Pick<Catalog, 'views'>;
  readonly clock: ServiceClock;
}

/** Anyone may request the health, and each check writes to the disk, so its result is used for a second. */
const reusedMs = 1000;
/** Each check looks up every firmware file, and a server may have thousands. */
const firmwareReusedMs = 60_000;
/** Below this part of the reserve, records may not fit any more: the disk counts as full. */
const fullBelow = 1 / 8;

/** Tests whether the server works, by performing a part of its work. */
export class Health {
  readonly #parts: Parts;
  readonly #disk: () => Promise<readonly HealthProblem[]>;
  readonly #firmware: () => Promise<readonly HealthProblem[]>;

  /** @param now monotonic clock in milliseconds */
  constructor(parts: Parts, now: () => number = () => performance.now()) {
    this.#parts = parts;
    this.#disk = reused(() => this.#checkDisk(), reusedMs, now);
    this.#firmware = reused(() => this.#checkFirmware(), firmwareReusedMs, now);
  }

  async problems(): Promise<readonly HealthProblem[]> {
    return (await Promise.all([this.#disk(), this.#firmware()])).flat();
  }

  async #checkDisk(): Promise<readonly HealthProblem[]> {
    const [canWrite, room] = await Promise.all([this.#canWrite(), this.#parts.blobs.room().catch(() => undefined)]);
    const problems: HealthProblem[] = canWrite ? [] : ['records-unwritable'];
    if (room === undefined || room.freeBytes < room.reserveBytes * fullBelow) problems.push('disk-full');
    if (room === undefined || room.freeBytes < room.reserveBytes) problems.push('uploads-refused');
    return problems;
  }

  /**
   * Looks for the files of all releases that devices may be sent, and compares their sizes. Their bytes are compared when they are sent.
   */
  async #checkFirmware(): Promise<readonly HealthProblem[]> {
    const sizes = new Map<string, number>();
    for (const { channels } of this.#parts.catalog.views()) {
      for (const { current, rollout } of channels.values()) {
        const releases = [...current, ...(rollout?.releases ?? [])];
        const artifacts = releases.flatMap(({ manifest }) => manifest.artifacts);
        for (const { sha256, sizeBytes } of artifacts) sizes.set(sha256, sizeBytes);
      }
    }
    for (const [sha256, sizeBytes] of sizes) {
      const found = await this.#parts.blobs.state(sha256).catch(() => undefined);
      if (found?.complete !== true || found.offset !== sizeBytes) return ['firmware-missing'];
    }
    return [];
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

/** Returns a function that shares one result among all calls until `ms` milliseconds after the work is done. */
function reused<Result>(work: () => Promise<Result>, ms: number, now: () => number): () => Promise<Result> {
  let last: { readonly result: Promise<Result>; doneAt: number } | undefined;
  return () => {
    if (last === undefined || now() - last.doneAt >= ms) {
      const started = { result: work(), doneAt: Number.POSITIVE_INFINITY };
      started.result.finally(() => {
        started.doneAt = now();
      });
      last = started;
    }
    return last.result;
  };
}
