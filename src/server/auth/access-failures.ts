import type { FailureLimit, FailureStore } from '../storage/store.ts';
import type { TokenBuckets } from './token-buckets.ts';

/** Rate limit for rejected tokens and log-ins, by address. The failures of all processes count together. */
export class AccessFailures {
  readonly #store: Pick<FailureStore, 'take'>;
  readonly #ofProcess: Pick<TokenBuckets, 'take'>;
  readonly #limit: FailureLimit;

  /** @param ofProcess failures in this process, which has the same limit: most requests of a flood are rejected without a write */
  constructor(store: Pick<FailureStore, 'take'>, ofProcess: Pick<TokenBuckets, 'take'>, limit: FailureLimit) {
    this.#store = store;
    this.#ofProcess = ofProcess;
    this.#limit = limit;
  }

  /**
   * Counts a failure.
   *
   * @returns false if the limit was reached before
   */
  async take(address: string): Promise<boolean> {
    return this.#ofProcess.take(address) && (await this.#store.take(address, this.#limit));
  }
}
