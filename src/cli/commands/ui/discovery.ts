import { Discovery } from '../../../delivery/discovery.ts';
import type { Inventory } from '../../../delivery/inventory.ts';
import { ownAddresses } from '../../../delivery/mdns.ts';

/** Returns the addresses of this machine on the networks to search. Loopback is searched only for virtual devices in the inventory. */
export function discoveryNetworks(
  interfaces: readonly string[],
  { upload, devices = {} }: Inventory,
): readonly string[] {
  if (interfaces.length > 0) return interfaces;
  const networks = upload?.hostIp === undefined ? ownAddresses() : [upload.hostIp];
  const hasVirtual = Object.values(devices).some(({ address }) => address.startsWith('127.'));
  return [...new Set([...networks, ...(hasVirtual ? ['127.0.0.1'] : [])])];
}

/** Opens discovery, or returns the reason why this machine cannot use mDNS. */
export function openDiscovery(interfaces: readonly string[]): Promise<Discovery | { readonly unavailable: string }> {
  return Discovery.open({ interfaces });
}
