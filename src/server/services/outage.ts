import type { Log } from '../observability/log.ts';
import { StoreUnavailableError } from '../storage/store-unavailable.ts';

/** Outage of the database. The log contains one line when it begins and one when it ends, not one for each request. */
export class Outage {
  readonly #log: Log;
  #isOngoing = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Records an error, and returns whether it is the outage of the database. */
  note(error: unknown): boolean {
    if (!(error instanceof StoreUnavailableError)) return false;
    if (!this.#isOngoing) this.#log.error({ err: error }, 'Database unavailable; devices are asked to check again later');
    this.#isOngoing = true;
    return true;
  }

  /** Records that the database responds. */
  end(): void {
    if (this.#isOngoing) this.#log.warn({}, 'Database available again');
    this.#isOngoing = false;
  }
}
