import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { EventQueue } from './event-queue.ts';

/**
 * Resolves the IPv4 address of a device, since this tool reaches devices over IPv4 only.
 *
 * @returns undefined if the name has no IPv4 address, or if the lookup takes longer than `limitMs`
 * @throws the abort reason of the signal
 */
export async function resolveHost(host: string, limitMs: number, signal: AbortSignal): Promise<string | undefined> {
  if (isIPv4(host)) return host;
  // A lookup cannot be canceled: the system's resolver may run past the limit.
  const found = new EventQueue<string | undefined>();
  lookup(host, { family: 4 }).then(
    ({ address }) => found.put(address),
    () => found.put(undefined),
  );
  return found.next(limitMs, signal);
}
