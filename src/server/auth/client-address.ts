import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/**
 * Returns the address that limits are counted for: the peer or, behind a trusted proxy, the client that the proxy reports. An IPv6 address
 * is reduced to its network, because one subscriber has a whole /64.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: ReadonlySet<string>): string {
  const peer = peerAddress(request);
  if (!trustedProxies.has(peer)) return networkOf(peer);
  const header = request.headers['x-forwarded-for'];
  const named = (typeof header === 'string' ? header : '').split(',').map((part) => plain(part.trim()));
  // From the right: entries further left were set by the client itself.
  const client = named.reverse().find((address) => isAddress(address) && !trustedProxies.has(address));
  return networkOf(client ?? peer);
}

/** Returns the address of the other end of the connection. */
export function peerAddress(request: IncomingMessage): string {
  return plain(request.socket.remoteAddress ?? '');
}

/** Converts an IPv4-mapped IPv6 address to IPv4. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}

function isAddress(text: string): boolean {
  return isIPv4(text) || isIPv6(text);
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
