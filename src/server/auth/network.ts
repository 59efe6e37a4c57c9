import { isIPv6, SocketAddress } from 'node:net';

/** Converts an IPv4-mapped IPv6 address to IPv4. */
export function unmapped(address: string): string {
  // `isIPv6` is slow, and every request has an address.
  if (!address.includes(':') || !isIPv6(address)) return address;
  const [, ipv4] = /^::ffff:([\d.]+)$/.exec(canonical(address)) ?? [];
  return ipv4 ?? address;
}

/**
 * Returns the network that per-address limits count: the /64 of an IPv6 address, because a single subscriber owns a whole /64. An IPv4
 * address, including its IPv4-mapped form, counts as its own network.
 */
export function networkOf(address: string): string {
  const plain = unmapped(address);
  return plain.includes(':') && isIPv6(plain) ? `${groupsOf(canonical(plain)).slice(0, 4).join(':')}::/64` : plain;
}

/** Returns an IPv6 address in the RFC 5952 format, without its zone. */
function canonical(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

/** Replaces `::` with zeros. */
function groupsOf(address: string): readonly string[] {
  const [head = '', tail = ''] = address.split('::');
  const left = head.split(':').filter((group) => group !== '');
  const right = tail.split(':').filter((group) => group !== '');
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
}
