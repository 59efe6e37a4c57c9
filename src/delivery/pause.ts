import { Mailbox } from './mailbox.ts';

/**
 * Waits.
 *
 * @throws the reason of the signal, when it aborts first
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Mailbox<never>().next(ms, signal);
}
