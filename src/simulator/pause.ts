import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits, on the clock of `performance.now()`. Timers fire up to a millisecond early: then the rest is waited for.
 *
 * @throws the reason of the signal, when it aborts first
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const dueAt = performance.now() + ms;
  signal.throwIfAborted();
  for (let left = ms; left > 0; left = dueAt - performance.now()) {
    await sleep(Math.max(1, left), undefined, { signal });
  }
}
