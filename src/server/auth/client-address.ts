import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';
import { OtaError } from '../../errors/ota-error.ts';
import { networkOf, unmapped } from './network.ts';

/** Returns whether an address belongs to a trusted proxy. */
export type TrustedProxies = (address: string) => boolean;

/**
 * Creates the check for trusted proxies.
 *
 * @param addresses IPv4 and IPv6 addresses, and ranges such as `10.0.0.0/8`
 * @throws OtaError OPTION_INVALID
 */
export function trustProxies(addresses: readonly string[]): TrustedProxies {
  for (const address of addresses) requireRange(address);
  const isTrusted = proxyAddr.compile([...addresses]);
  return (address) => isTrusted(address, 0);
}

function requireRange(address: string): void {
  try {
    proxyAddr.compile(address);
  } catch (cause) {
    const expected = 'must be an IP address or a range such as 10.0.0.0/8';
    throw new OtaError('OPTION_INVALID', { option: '--trust-proxy', value: address, expected }, cause);
  }
}

/**
 * Returns the network that rate limits count: the network of the peer address or, behind trusted proxies, of the client address that the
 * proxies report.
 */
export function clientAddress(request: IncomingMessage, isTrusted: TrustedProxies): string {
  // Most requests come from devices directly, so they skip the parsers of proxies' headers.
  const { remoteAddress: peer = '' } = request.socket;
  if (!isTrusted(peer)) return networkOf(peer);
  const client = withoutPort(proxyAddr(request, (entry) => isTrusted(withoutPort(entry))));
  return networkOf(isIP(client) === 0 ? peer : client);
}

/** Returns the peer address of the connection, or an empty string for a closed connection, which has no address. */
export function peerAddress(request: IncomingMessage): string {
  return unmapped(request.socket.remoteAddress ?? '');
}

/** Removes the port that some proxies add to X-Forwarded-For entries, as in `192.0.2.1:5678` and `[2001:db8::1]:443`. */
function withoutPort(entry = ''): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d+)?$/.exec(entry) ?? [];
  return bracketed ?? dotted ?? entry;
}
