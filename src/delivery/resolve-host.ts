import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { Mailbox } from './mailbox.ts';

/**
 * The IPv4 address of a device, since an ESP8266 speaks no other.
 *
 * @returns undefined when the name has none, or its lookup takes longer than `limitMs`
 * @throws the reason of the signal, when it aborts
 */
export async function resolveHost(host: string, limitMs: number, signal: AbortSignal): Promise<string | undefined> {
  if (isIPv4(host)) return host;
  // A lookup cannot be called back: the system's resolver may go on for longer than anybody waits for it.
  const found = new Mailbox<string | undefined>();
  lookup(host, { family: 4 }).then(
    ({ address }) => found.put(address),
    () => found.put(undefined),
  );
  return found.next(limitMs, signal);
}
