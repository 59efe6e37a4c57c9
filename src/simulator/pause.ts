import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits, on the clock of `performance.now()`.
 *
 * @throws the reason of the signal, when it aborts first
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await pauseUntil(performance.now() + ms, signal);
}

/** The same until a moment. Timers fire up to a millisecond early: then the rest is waited for. */
export async function pauseUntil(dueAt: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let left = dueAt - performance.now(); left > 0; left = dueAt - performance.now()) {
    await sleep(Math.max(1, left), undefined, { signal });
  }
}
