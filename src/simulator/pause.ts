import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for at least `ms`, measured with `performance.now()`. If the timer fires up to a millisecond early, waits for the remaining time.
 *
 * @throws the signal's abort reason, or an AbortError during the wait, if the signal aborts first
 */
export async function pauseExactly(ms: number, signal: AbortSignal): Promise<void> {
  const dueAt = performance.now() + ms;
  signal.throwIfAborted();
  for (let left = ms; left > 0; left = dueAt - performance.now()) {
    await sleep(Math.max(1, left), undefined, { signal });
  }
}
