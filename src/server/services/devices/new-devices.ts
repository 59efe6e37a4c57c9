import { TokenBuckets } from '../../auth/token-buckets.ts';

const hourMs = 60 * 60_000;

/** Update checks of new devices that were deferred within an hour. */
interface DeferredChecks {
  readonly since: number;
  checks: number;
}

/**
 * Limits how many new devices a network (an IPv4 address or an IPv6 /64) may add per hour. Anyone can invent MACs, and each MAC uses a
 * record. Enrolled devices already have a record, so they are not limited.
 */
export class NewDevices {
  /** Limit per network: the burst size, and the rate per hour. */
  readonly mostPerHour: number;
  readonly #buckets: TokenBuckets;
  readonly #deferred = new Map<string, DeferredChecks>();
  readonly #now: () => number;

  /** @param now monotonic clock in milliseconds */
  constructor(mostPerHour: number, now: () => number = () => performance.now()) {
    this.mostPerHour = mostPerHour;
    this.#buckets = new TokenBuckets(mostPerHour, mostPerHour / 3600);
    this.#now = now;
  }

  /** Returns whether a network may add a device to a project now. */
  admit(project: string, network: string): boolean {
    if (this.#buckets.take(network)) return true;
    const current = this.#current(project);
    if (current === undefined) this.#deferred.set(project, { since: this.#now(), checks: 1 });
    else current.checks++;
    return false;
  }

  /** Returns the number of update checks deferred since the first one within the last hour. */
  deferred(project: string): number {
    return this.#current(project)?.checks ?? 0;
  }

  #current(project: string): DeferredChecks | undefined {
    const found = this.#deferred.get(project);
    return found !== undefined && this.#now() - found.since < hourMs ? found : undefined;
  }
}
