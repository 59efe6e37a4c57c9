import type { Log } from '../observability/log.ts';
import { StoreUnavailableError } from '../storage/store-unavailable.ts';

/** Outage of the database or of the blob store. The log contains one line when it begins and one when it ends, not one for each request. */
export class Outage {
  readonly #log: Log;
  #isOngoing = false;

  constructor(log: Log) {
    this.#log = log;
  }

  get isOngoing(): boolean {
    return this.#isOngoing;
  }

  /** Records an error, and returns whether it is an outage. */
  note(error: unknown): boolean {
    if (!(error instanceof StoreUnavailableError)) return false;
    if (!this.#isOngoing) this.#log.error({ err: error }, 'Storage unavailable; requests are rejected with 503');
    this.#isOngoing = true;
    return true;
  }

  /** Records that the database and the blob store respond again. */
  end(): void {
    if (this.#isOngoing) this.#log.warn({}, 'Storage available again');
    this.#isOngoing = false;
  }
}
