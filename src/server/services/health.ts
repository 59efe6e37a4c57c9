import type { BlobStore } from '../storage/blob-store.ts';
import type { Store } from '../storage/store.ts';
import { StoreUnavailableError } from '../storage/store-unavailable.ts';
import type { ClockSkew } from './clock-skew.ts';
import type { Catalog } from './releases/catalog.ts';

/** Reason why the server cannot perform a part of its work. */
export type HealthProblem =
  | 'records-unwritable'
  | 'files-unreachable'
  | 'disk-full'
  | 'uploads-refused'
  | 'firmware-missing'
  | 'clock-differs';

interface Parts {
  readonly store: Pick<Store, 'ping'>;
  readonly blobs: Pick<BlobStore, 'room' | 'seals' | 'state'>;
  readonly catalog: Pick<Catalog, 'views'>;
  readonly skew: Pick<ClockSkew, 'isTooLarge'>;
}

/** Time for which the disk check is cached: anyone may request the health, and each check writes to the disk. */
const reusedMs = 1000;
/** Time for which the firmware check is cached: it looks up every firmware file, and a server may have thousands of them. */
const firmwareReusedMs = 60_000;
/** The disk counts as full if less than this part of the reserve is free, because records may no longer fit. */
const fullBelow = 1 / 8;

/** Checks whether the server works: writes to the disk and looks up the firmware files. */
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
    const skew: readonly HealthProblem[] = this.#parts.skew.isTooLarge ? ['clock-differs'] : [];
    return [...(await Promise.all([this.#disk(), this.#firmware()])).flat(), ...skew];
  }

  async #checkDisk(): Promise<readonly HealthProblem[]> {
    const [canWrite, room] = await Promise.all([this.#canWrite(), this.#room()]);
    const problems: HealthProblem[] = canWrite ? [] : ['records-unwritable'];
    if (room === undefined) return [...problems, 'files-unreachable'];
    if (room.freeBytes < room.reserveBytes * fullBelow) problems.push('disk-full');
    if (room.freeBytes < room.reserveBytes) problems.push('uploads-refused');
    return problems;
  }

  /**
   * Checks that the files of all releases that devices may be sent exist and have the correct size. The bytes are checked when a file is
   * sent.
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
      const found = await this.#parts.blobs.state(sha256).catch(stateUnknown);
      // Another check reports that the files cannot be reached.
      if (found === 'unknown') return [];
      if (found?.complete !== true || found.offset !== sizeBytes) return ['firmware-missing'];
    }
    return [];
  }

  /** Returns undefined if the files cannot be read now. Reading the seals shows whether the server that stores the files responds. */
  async #room(): Promise<Awaited<ReturnType<BlobStore['room']>> | undefined> {
    const { blobs } = this.#parts;
    try {
      await blobs.seals();
      return await blobs.room();
    } catch {
      return undefined;
    }
  }

  async #canWrite(): Promise<boolean> {
    try {
      await this.#parts.store.ping();
      return true;
    } catch {
      return false;
    }
  }
}

function stateUnknown(error: unknown): 'unknown' | undefined {
  return error instanceof StoreUnavailableError ? 'unknown' : undefined;
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
