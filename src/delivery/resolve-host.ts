import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { EventQueue } from './event-queue.ts';
import { type ProbePlace, probe } from './probe.ts';

/** Time for the probes of a name with several addresses. A device on the local network responds within a second. */
const probeMs = 3000;
/** Addresses of a name that are probed. A name for one device has at most one address per network. */
const mostAddresses = 32;

/**
 * Resolves the IPv4 address of a device. The update protocols of the core have no IPv6 form. If the name has several addresses, such as those
 * of a machine with several networks, all of them are probed, and the first one that responds is used.
 *
 * @param place where the device listens
 * @returns undefined if the name has no IPv4 address, or if the lookup takes longer than `limitMs`
 * @throws the signal's abort reason
 */
export async function resolveHost(
  host: string,
  place: ProbePlace,
  limitMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (isIPv4(host)) return host;
  // A lookup cannot be canceled, so the system resolver may continue after the time limit.
  const found = new EventQueue<readonly string[]>();
  lookup(host, { family: 4, all: true }).then(
    (entries) => found.put([...new Set(entries.map(({ address }) => address))]),
    () => found.put([]),
  );
  const addresses = (await found.next(limitMs, signal)) ?? [];
  return firstResponding(addresses.slice(0, mostAddresses), place, signal);
}

/** Returns the first address that responds to a probe, or the first of all if none does. */
export async function firstResponding(
  addresses: readonly string[],
  place: ProbePlace,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [first, ...others] = addresses;
  if (first === undefined || others.length === 0) return first;
  const probes = addresses.map(async (address) => {
    if (await probe(place, address, probeMs, signal)) return address;
    throw new Error(`${address} does not respond`);
  });
  const responding = await Promise.any(probes).catch(() => first);
  signal.throwIfAborted();
  return responding;
}
