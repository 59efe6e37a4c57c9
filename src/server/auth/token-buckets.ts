interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Rate limits by address: `burst` requests immediately, then `perSecond` requests per second. */
export class TokenBuckets {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /**
   * Removes a token from the bucket for an address.
   *
   * @returns false if the bucket is empty
   */
  take(address: string): boolean {
    const bucket = this.#filled(address);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  hasAny(address: string): boolean {
    return !this.#buckets.has(address) || this.#filled(address).tokens >= 1;
  }

  #filled(address: string): Bucket {
    const now = performance.now();
    const bucket = this.#buckets.get(address) ?? { tokens: this.#burst, filledAt: now };
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * this.#perSecond);
    bucket.filledAt = now;
    this.#remember(address, bucket);
    return bucket;
  }

  /** Stores the bucket. When there are too many buckets, drops the least recently used one, because it is most likely full again. */
  #remember(address: string, bucket: Bucket): void {
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > mostAddresses && oldest !== undefined) this.#buckets.delete(oldest);
  }
}

const mostAddresses = 20_000;
