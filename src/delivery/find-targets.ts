import { isIPv4 } from 'node:net';
import { isSameDevice } from './confirm.ts';
import type { StoredDevice } from './discovered.ts';
import type { DiscoveredDevice, Discovery } from './discovery.ts';
import { EventQueue } from './event-queue.ts';
import type { Target } from './inventory.ts';

/** Address and sketch of a device before its update. */
export interface FoundTarget {
  /** IPv4 address; undefined if the name must be resolved in a different way. */
  readonly address?: string | undefined;
  readonly sketchMd5?: string | undefined;
}

export interface FindTargetsOptions {
  readonly discovery: Discovery;
  /** Devices found in earlier runs. They are stored because mDNS can miss devices that are online. */
  readonly stored: readonly StoredDevice[];
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Listens for devices until all targets have announced themselves or the time limit is reached. Falls back to stored addresses.
 *
 * @throws the signal's abort reason
 */
export async function findTargets(
  targets: readonly Target[],
  options: FindTargetsOptions,
): Promise<Map<Target, FoundTarget>> {
  const { discovery, stored, limitMs, signal } = options;
  const foundTargets = new Map<Target, FoundTarget>();
  const devices = new EventQueue<DiscoveredDevice>();
  const stop = discovery.watch((device) => devices.put(device));
  const end = performance.now() + limitMs;
  try {
    while (foundTargets.size < targets.length) {
      const device = await devices.next(end - performance.now(), signal);
      if (device === undefined) break;
      for (const target of targets.filter((one) => isAnnouncementOf(one, device))) {
        const before = foundTargets.get(target);
        const { address } = device;
        // A different device may have the same name.
        const known = before?.address === address ? before.sketchMd5 : undefined;
        foundTargets.set(target, { address, sketchMd5: device.sketchMd5 ?? known });
      }
    }
  } finally {
    stop();
  }
  for (const target of targets) {
    const known = foundTargets.has(target) ? undefined : stored.find((device) => isAnnouncementOf(target, device));
    if (known !== undefined) foundTargets.set(target, { address: known.address });
  }
  return foundTargets;
}

/** Returns true if a device announces itself with the host name or the address of a target. */
export function isAnnouncementOf(target: Target, device: DiscoveredDevice): boolean {
  return isSameDevice(target, isIPv4(target.host) ? target.host : '', device);
}
