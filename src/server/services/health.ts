import { setTimeout } from 'node:timers/promises';
import type { Log } from '../observability/log.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { Store } from '../storage/store.ts';
import { BlobsUnavailableError } from '../storage/store-unavailable.ts';
import type { ClockSkew } from './clock-skew.ts';
import type { Outage } from './outage.ts';
import type { Catalog } from './releases/catalog.ts';

/** Reason why the server cannot perform a part of its work. */
export type HealthProblem =
  | 'database-removed'
  | 'records-unwritable'
  | 'files-unreachable'
  | 'bucket-unreachable'
  | 'disk-full'
  | 'uploads-refused'
  | 'firmware-missing'
  | 'clock-differs';

interface Parts {
  readonly store: Pick<Store, 'ping' | 'isInPlace'>;
  readonly blobs: Pick<BlobStore, 'room' | 'seals' | 'state'>;
  readonly catalog: Pick<Catalog, 'views'>;
  readonly skew: Pick<ClockSkew, 'isTooLarge'>;
  readonly outage: Pick<Outage, 'note' | 'isOngoing'>;
  readonly log: Log;
}

/** Time for which the disk check is cached: anyone may request the health, and each check writes to the disk. */
const reusedMs = 1000;
/** Time for which the firmware check is cached: it looks up every firmware file, and a server may have thousands of them. */
const firmwareReusedMs = 60_000;
/**
 * Time for which a request waits for the checks of the firmware files. A bucket that does not respond must not delay the response, because
 * a load balancer would remove all servers.
 */
const filesWaitMs = 500;
/** Wait of the first requests, for which no previous result exists. HAProxy waits 3 s for a check (templates/server/haproxy.cfg). */
const firstWaitMs = 1500;
/** The disk counts as full if less than this part of the reserve is free, because records may no longer fit. */
const fullBelow = 1 / 8;

const firmwareMissingText =
  'A firmware file of a current release is missing or incomplete: run ota-hooks server check to list all of them, then publish these releases again';

/** Checks whether the server works: writes to the disk and looks up the firmware files. */
export class Health {
  readonly #parts: Parts;
  readonly #records: () => Promise<readonly HealthProblem[]>;
  readonly #files: () => Promise<readonly HealthProblem[]>;
  readonly #firmware: () => Promise<readonly HealthProblem[]>;
  #wasSealed = false;
  #isFirmwareMissing = false;

  /** @param now monotonic clock in milliseconds */
  constructor(parts: Parts, now: () => number = () => performance.now()) {
    this.#parts = parts;
    this.#records = reused(() => this.#checkRecords(), reusedMs, now);
    this.#files = withinWait(
      reused(() => this.#checkFiles(), reusedMs, now),
      () => (parts.outage.isOngoing('bucket') ? ['bucket-unreachable'] : []),
    );
    this.#firmware = withinWait(
      reused(() => this.#checkFirmware(), firmwareReusedMs, now),
      () => [],
    );
  }

  async problems(): Promise<readonly HealthProblem[]> {
    const skew: readonly HealthProblem[] = this.#parts.skew.isTooLarge ? ['clock-differs'] : [];
    return [...(await Promise.all([this.#records(), this.#files(), this.#firmware()])).flat(), ...skew];
  }

  /** Logs an error if a firmware file of a current release is missing. The next request for the health checks the files again. */
  async checkFirmware(): Promise<void> {
    await this.#checkFirmware();
  }

  /**
   * Returns the problems that make this process useless: its database file was removed or replaced, so that all changes are lost, or its
   * folder with the firmware files is missing. All other problems, such as an outage of a database server, end without a restart.
   */
  async losses(): Promise<readonly HealthProblem[]> {
    const waiting = new AbortController();
    // A bucket that does not respond must not make a supervisor restart the server.
    const late = setTimeout(filesWaitMs, [], { signal: waiting.signal, ref: false });
    try {
      const [isInPlace, files] = await Promise.all([this.#isInPlace(), Promise.race([this.#files(), late])]);
      const lost = files.filter((problem) => problem === 'files-unreachable');
      return isInPlace ? lost : ['database-removed', ...lost];
    } finally {
      waiting.abort();
    }
  }

  /** A database that cannot be reached may be in its place. */
  #isInPlace(): Promise<boolean> {
    return this.#parts.store.isInPlace().catch(() => true);
  }

  async #checkRecords(): Promise<readonly HealthProblem[]> {
    const { store } = this.#parts;
    const isWritable = await store.ping().then(
      () => true,
      () => false,
    );
    if (!(await this.#isInPlace())) return ['database-removed'];
    return isWritable ? [] : ['records-unwritable'];
  }

  /**
   * Checks whether files can be read and written. Reading the seals shows whether the server that stores the files responds. An outage of a
   * bucket also affects the other servers, and update checks need no files.
   */
  async #checkFiles(): Promise<readonly HealthProblem[]> {
    const { blobs, outage } = this.#parts;
    try {
      const isSealed = (await blobs.seals()).length > 0;
      // The folder was removed or replaced: a seal never disappears.
      if (this.#wasSealed && !isSealed) return ['files-unreachable'];
      this.#wasSealed = isSealed;
      const { freeBytes, reserveBytes } = await blobs.room();
      if (freeBytes < reserveBytes * fullBelow) return ['disk-full', 'uploads-refused'];
      return freeBytes < reserveBytes ? ['uploads-refused'] : [];
    } catch (error) {
      outage.note(error);
      return [error instanceof BlobsUnavailableError ? 'bucket-unreachable' : 'files-unreachable'];
    }
  }

  /**
   * Checks that the files of all releases that devices may be sent exist and have the correct size, and logs once if they do not: the
   * database may have been restored without its files. The bytes are checked when a file is sent.
   */
  async #checkFirmware(): Promise<readonly HealthProblem[]> {
    const files = new Map<string, { readonly sizeBytes: number; readonly release: string }>();
    for (const { project, channels } of this.#parts.catalog.views()) {
      for (const { current, rollout } of channels.values()) {
        for (const { version, manifest } of [...current, ...(rollout?.releases ?? [])]) {
          const release = `${project.name} ${version}`;
          for (const { sha256, sizeBytes } of manifest.artifacts) files.set(sha256, { sizeBytes, release });
        }
      }
    }
    const wasMissing = this.#isFirmwareMissing;
    this.#isFirmwareMissing = false;
    for (const [sha256, { sizeBytes, release }] of files) {
      const found = await this.#parts.blobs.state(sha256).catch(stateUnknown);
      // Another check reports that the files cannot be reached.
      if (found === 'unknown') return [];
      if (found?.complete === true && found.offset === sizeBytes) continue;
      this.#isFirmwareMissing = true;
      if (!wasMissing) this.#parts.log.error({ sha256, release }, firmwareMissingText);
      return ['firmware-missing'];
    }
    return [];
  }
}

function stateUnknown(error: unknown): 'unknown' | undefined {
  return error instanceof BlobsUnavailableError ? 'unknown' : undefined;
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

/** Limits the wait for `work`. After the wait, its previous result is returned, or `first` if it has never finished. */
function withinWait<Result>(work: () => Promise<Result>, first: () => Result): () => Promise<Result> {
  let previous = first;
  let waitMs = firstWaitMs;
  return async () => {
    const finished = work().then((result) => {
      previous = () => result;
      waitMs = filesWaitMs;
      return result;
    });
    const waiting = new AbortController();
    const late = setTimeout(waitMs, undefined, { signal: waiting.signal, ref: false }).then(() => previous());
    try {
      return await Promise.race([finished, late]);
    } finally {
      waiting.abort();
    }
  };
}
