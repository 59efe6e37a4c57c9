import { OtaError } from '../../errors/ota-error.ts';
import type { Log } from '../observability/log.ts';
import type { Store } from '../storage/store.ts';

const minuteMs = 60_000;
/** Difference at which the server warns: displayed times and the ends of sessions are wrong by as much. */
const warnsAtMs = minuteMs;
/** Difference at which the server does not start. Time synchronization keeps clocks within a second. */
const refusesAtMs = 5 * minuteMs;

/** Difference between the clock of this process and the clock of the database, which all processes share. */
export class ClockSkew {
  readonly #store: Pick<Store, 'wallMs'>;
  readonly #log: Log;
  #isLogged = false;

  constructor(store: Pick<Store, 'wallMs'>, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** True if the last comparison found a difference of more than a minute. */
  get isTooLarge(): boolean {
    return this.#isLogged;
  }

  /** Compares the clocks, and logs one line if the difference becomes too large. */
  async compare(): Promise<void> {
    const skewMs = await skewOf(this.#store);
    const isTooLarge = Math.abs(skewMs) > warnsAtMs;
    if (isTooLarge && !this.#isLogged) {
      const hint = 'Synchronize the clocks of the server and of the database, for example with NTP.';
      this.#log.error({ seconds: Math.round(skewMs / 1000), hint }, 'Clock differs from the clock of the database');
    }
    this.#isLogged = isTooLarge;
  }
}

/**
 * Requires that the clock of this process agrees with the clock of the database.
 *
 * @throws OtaError SERVER_CLOCK_WRONG
 */
export async function requireClock(store: Pick<Store, 'wallMs'>): Promise<void> {
  const skewMs = await skewOf(store);
  if (Math.abs(skewMs) > refusesAtMs) throw new OtaError('SERVER_CLOCK_WRONG', { seconds: Math.round(skewMs / 1000) });
}

/** Returns how far the clock of this process is ahead. The time for the request is not part of the difference. */
async function skewOf(store: Pick<Store, 'wallMs'>): Promise<number> {
  const before = Date.now();
  const stored = await store.wallMs();
  const after = Date.now();
  if (stored < before) return before - stored;
  return stored > after ? after - stored : 0;
}
