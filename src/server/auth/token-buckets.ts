interface Bucket {
  tokens: number;
  filledAt: number;
}

/** How much of something each address may do: `burst` at once, and `perSecond` from then on. */
export class TokenBuckets {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /** @returns false when the address has used up what it may do for now */
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

  /** The one that did nothing for longest makes way: by then its bucket is most likely full again. */
  #remember(address: string, bucket: Bucket): void {
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > mostAddresses && oldest !== undefined) this.#buckets.delete(oldest);
  }
}

const mostAddresses = 20_000;
