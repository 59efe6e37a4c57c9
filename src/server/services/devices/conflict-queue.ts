import { setTimeout } from 'node:timers/promises';
import AsyncLock from 'async-lock';

/**
 * Maximum number of tries in a row. One of the conflicting changes always succeeds: with two processes, 30 conflicts in a row have a
 * probability of 1 in a billion even without the waits.
 */
const mostTries = 30;
const longestWaitMs = 50;

/** Makes a change. Returns `conflict` if the device or its project was changed at the same time. */
type Attempt<Result> = () => Promise<Result | 'conflict'>;

/**
 * Runs the changes of a device one after the other, and repeats those that conflict with another process. Of 200 concurrent changes with the
 * same MAC, only one would succeed at a time; the others would wait for its row lock with all connections of the pool, and requests of other
 * devices would wait for a connection. The queue is bounded, because each waiting change belongs to an open request.
 */
export class ConflictQueue {
  readonly #lock = new AsyncLock({ maxPending: Number.POSITIVE_INFINITY });

  /**
   * Tries a change of a device until there is no conflict.
   *
   * @returns `conflict` if other processes keep changing the device
   */
  run<Result>(project: string, mac: string, attempt: Attempt<Result>): Promise<Result | 'conflict'> {
    return this.#lock.acquire(`${mac}${project}`, () => withRetries(attempt));
  }
}

/**
 * Tries a change several times, with random waits so that several processes do not keep in step.
 *
 * @returns `conflict` if the last try was a conflict
 */
export async function withRetries<Result>(attempt: Attempt<Result>): Promise<Result | 'conflict'> {
  for (let tries = 1; tries < mostTries; tries++) {
    const result = await attempt();
    if (result !== 'conflict') return result;
    await setTimeout(Math.random() * Math.min(2 ** tries, longestWaitMs));
  }
  return attempt();
}
