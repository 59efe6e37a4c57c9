import { isIPv4 } from 'node:net';
import { isSameDevice } from './confirm.ts';
import type { RememberedDevice } from './discovered.ts';
import type { DiscoveredDevice, Lookout } from './discovery.ts';
import type { Target } from './inventory.ts';
import { Mailbox } from './mailbox.ts';

/** Address and sketch of a device before an update. */
export interface Sighting {
  /** IPv4 address; undefined if the name must be resolved in another way. */
  readonly address?: string | undefined;
  readonly sketchMd5?: string | undefined;
}

export interface SightingOptions {
  readonly lookout: Lookout;
  /** Devices found earlier, since mDNS misses devices that are online. */
  readonly remembered: readonly RememberedDevice[];
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Listens for devices until all targets have announced themselves or the time limit is reached.
 *
 * @throws the abort reason of the signal
 */
export async function sight(targets: readonly Target[], options: SightingOptions): Promise<Map<Target, Sighting>> {
  const { lookout, remembered, limitMs, signal } = options;
  const sightings = new Map<Target, Sighting>();
  const heard = new Mailbox<DiscoveredDevice>();
  const stop = lookout.watch((device) => heard.put(device));
  const end = performance.now() + limitMs;
  try {
    while (sightings.size < targets.length) {
      const device = await heard.next(end - performance.now(), signal);
      if (device === undefined) break;
      for (const target of targets.filter((one) => matches(one, device))) {
        const { sketchMd5 = sightings.get(target)?.sketchMd5, address } = device;
        sightings.set(target, { address, sketchMd5 });
      }
    }
  } finally {
    stop();
  }
  for (const target of targets) {
    const known = sightings.has(target) ? undefined : remembered.find((device) => matches(target, device));
    if (known !== undefined) sightings.set(target, { address: known.address });
  }
  return sightings;
}

function matches(target: Target, device: DiscoveredDevice): boolean {
  return isSameDevice(target, isIPv4(target.host) ? target.host : '', device);
}
