import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { EventQueue } from './event-queue.ts';

/**
 * Resolves the IPv4 address of a device. IPv6 is not supported.
 *
 * @returns undefined if the name has no IPv4 address, or if the lookup takes longer than `limitMs`
 * @throws the signal's abort reason
 */
export async function resolveHost(host: string, limitMs: number, signal: AbortSignal): Promise<string | undefined> {
  if (isIPv4(host)) return host;
  // A lookup cannot be canceled, so the system resolver may continue after the time limit.
  const found = new EventQueue<string | undefined>();
  lookup(host, { family: 4 }).then(
    ({ address }) => found.put(address),
    () => found.put(undefined),
  );
  return found.next(limitMs, signal);
}
