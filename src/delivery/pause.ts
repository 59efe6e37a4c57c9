import { Mailbox } from './mailbox.ts';

/**
 * Waits for the given time.
 *
 * @throws the abort reason of the signal
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Mailbox<never>().next(ms, signal);
}
