import type { Log } from '../observability/log.ts';
import { BlobsUnavailableError, StoreUnavailableError } from '../storage/store-unavailable.ts';

/** Part of the data that may be unavailable. */
export type DataPart = 'database' | 'bucket';

const messages: Readonly<Record<DataPart, { readonly begin: string; readonly end: string }>> = {
  database: { begin: 'Database unavailable; requests are rejected with 503', end: 'Database available again' },
  // Update checks of devices that have nothing to install need no firmware.
  bucket: { begin: 'Bucket unavailable; downloads and uploads are rejected with 503', end: 'Bucket available again' },
};

/** Outages of the database and of the bucket. The log contains one line when an outage begins and one when it ends, not one for each request. */
export class Outage {
  readonly #log: Log;
  readonly #ongoing = new Set<DataPart>();

  constructor(log: Log) {
    this.#log = log;
  }

  isOngoing(part: DataPart): boolean {
    return this.#ongoing.has(part);
  }

  /** Records an error, and returns whether it is an outage. */
  note(error: unknown): boolean {
    if (!(error instanceof StoreUnavailableError)) return false;
    this.begin(error instanceof BlobsUnavailableError ? 'bucket' : 'database', error);
    return true;
  }

  begin(part: DataPart, error: unknown): void {
    if (this.#ongoing.has(part)) return;
    this.#ongoing.add(part);
    this.#log.error({ err: error }, messages[part].begin);
  }

  /** Records that the part responds again. */
  end(part: DataPart): void {
    if (this.#ongoing.delete(part)) this.#log.warn({}, messages[part].end);
  }
}
