import type { Store } from '../../storage/store.ts';

/** Time on two clocks: the wall clock and a clock that cannot be set. */
export interface ServiceTime {
  /** Milliseconds since 1970 according to the system clock, which may jump. */
  readonly wallMs: number;
  /**
   * Total time that servers have run with this data, in milliseconds. Timeouts use this clock: devices cannot check in while no server is
   * running, and a change to the wall clock must not make attempts fail.
   */
  readonly servedMs: number;
}

export interface ServiceClock {
  now(): ServiceTime;
}

/** Interval at which the leading process writes the served time. A crash of all processes loses at most twice this time. */
export const advanceEveryMs = 5000;
/**
 * Time that a process adds to the stored time at most. An outage of the database therefore does not make attempts fail, and the next leader
 * makes up for a leader that ended.
 */
const mostAheadMs = 2 * advanceEveryMs;

/** Served time of all processes: the stored time and, since it last changed, the time of this process's monotonic clock. */
export class ServedClock implements ServiceClock {
  readonly #store: Pick<Store, 'servedMs' | 'advanceServedMs'>;
  readonly #monotonicMs: () => number;
  #storedMs: number;
  #changedAt: number;
  #latestMs: number;

  private constructor(store: Pick<Store, 'servedMs' | 'advanceServedMs'>, storedMs: number, monotonicMs: () => number) {
    this.#store = store;
    this.#monotonicMs = monotonicMs;
    this.#storedMs = storedMs;
    this.#changedAt = monotonicMs();
    this.#latestMs = storedMs;
  }

  /** @param monotonicMs clock of this process that cannot be set, in milliseconds */
  static async open(
    store: Pick<Store, 'servedMs' | 'advanceServedMs'>,
    monotonicMs: () => number = () => performance.now(),
  ): Promise<ServedClock> {
    return new ServedClock(store, await store.servedMs(), monotonicMs);
  }

  now(): ServiceTime {
    this.atLeast(this.#storedMs + this.#sinceChangeMs());
    return { wallMs: Date.now(), servedMs: this.#latestMs };
  }

  /** Moves the clock forward to a time that another process has stored. The clock never goes back. */
  atLeast(servedMs: number): void {
    this.#latestMs = Math.max(this.#latestMs, servedMs);
  }

  /** Reads the stored time. */
  async update(): Promise<void> {
    this.#set(await this.#store.servedMs(), this.#monotonicMs());
  }

  /** Writes the time since the last change. Only the leading process calls this method. */
  async advance(): Promise<void> {
    const byMs = this.#sinceChangeMs();
    const at = this.#monotonicMs();
    this.#set(await this.#store.advanceServedMs(byMs), at);
  }

  #sinceChangeMs(): number {
    return Math.min(mostAheadMs, Math.floor(this.#monotonicMs() - this.#changedAt));
  }

  #set(storedMs: number, at: number): void {
    if (storedMs === this.#storedMs) return;
    this.now();
    this.#storedMs = storedMs;
    this.#changedAt = at;
  }
}
