import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for at least `ms`, measured with `performance.now()`. Timers can fire up to a millisecond early, in which case the remaining time
 * is awaited.
 *
 * @throws the signal's abort reason or, if the signal aborts during the wait, an AbortError
 */
export async function pauseExactly(ms: number, signal: AbortSignal): Promise<void> {
  const dueAt = performance.now() + ms;
  signal.throwIfAborted();
  for (let left = ms; left > 0; left = dueAt - performance.now()) {
    await sleep(Math.max(1, left), undefined, { signal });
  }
}
