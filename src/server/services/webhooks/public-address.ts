import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** Address to which a connection is made, so that the name is not resolved again after the check. */
export interface CheckedAddress {
  readonly address: string;
  readonly family: number;
}

/** Error for a receiver with an address that is not public. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
}

/** Address ranges that are not public, from the IANA registries of special-purpose addresses. */
const ranges = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const;

const special = new BlockList();
for (const [net, prefix] of ranges) special.addSubnet(net, prefix, net.includes(':') ? 'ipv6' : 'ipv4');

/** Returns whether an address belongs to the public internet. An IPv4-mapped IPv6 address counts as the IPv4 address. */
export function isPublicAddress(address: string): boolean {
  return !special.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Resolves the host of a URL once. All of its addresses must be public unless private ones are permitted.
 *
 * @throws PrivateAddressError, and errors of the name resolution
 */
export async function resolveAddress(
  { hostname }: URL,
  { allowPrivate }: { readonly allowPrivate: boolean },
): Promise<CheckedAddress> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = await lookup(host, { all: true });
  const refused = addresses.find(({ address }) => !isPublicAddress(address));
  if (refused !== undefined && !allowPrivate) {
    const which = refused.address === host ? host : `${host} (${refused.address})`;
    throw new PrivateAddressError(`${which} is not a public address; --allow-private permits it`);
  }
  const [first] = addresses;
  if (first === undefined) throw new Error(`${host} has no address`);
  return first;
}
