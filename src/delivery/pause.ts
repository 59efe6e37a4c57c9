import { EventQueue } from './event-queue.ts';

/**
 * Waits for the given time.
 *
 * @throws the abort reason of the signal
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new EventQueue<never>().next(ms, signal);
}
