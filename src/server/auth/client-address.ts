import type { IncomingMessage } from 'node:http';
import { isIP, isIPv4, isIPv6 } from 'node:net';
import proxyAddr from 'proxy-addr';
import { OtaError } from '../../errors/ota-error.ts';

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
 * Returns the address that rate limits count: the peer address or, behind trusted proxies, the client address that they report. An IPv6
 * address is reduced to its network, because a single subscriber owns a whole /64.
 */
export function clientAddress(request: IncomingMessage, isTrusted: TrustedProxies): string {
  const client = plain(withoutPort(proxyAddr(request, (entry) => isTrusted(withoutPort(entry)))));
  return networkOf(isIP(client) === 0 ? peerAddress(request) : client);
}

/** Returns the peer address of the connection. */
export function peerAddress(request: IncomingMessage): string {
  return plain(request.socket.remoteAddress);
}

/** Removes the port that some proxies add to X-Forwarded-For entries, as in `192.0.2.1:5678` and `[2001:db8::1]:443`. */
function withoutPort(entry = ''): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d+)?$/.exec(entry) ?? [];
  return bracketed ?? dotted ?? entry;
}

/** Converts an IPv4-mapped IPv6 address to IPv4. Returns an empty string for a closed connection, which has no address. */
function plain(address = ''): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}

function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const left = head.split(':').filter((group) => group !== '');
  const right = tail === undefined ? [] : tail.split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
