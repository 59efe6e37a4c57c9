import { once } from 'node:events';

/** Resolves when the user stops the command. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
