import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for `ms` milliseconds.
 *
 * @throws the signal's abort reason
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // An aborted timer rejects with an AbortError instead of the abort reason.
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
