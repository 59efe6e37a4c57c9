import { isDeepStrictEqual } from 'node:util';
import { mostDevices, type StoredDevice } from '../../../delivery/discovered.ts';
import { type DiscoveredDevice, type Discovery, identityOf } from '../../../delivery/discovery.ts';
import { type FoundTarget, isAnnouncementOf } from '../../../delivery/find-targets.ts';
import type { Target } from '../../../delivery/inventory.ts';

interface Sighting {
  readonly device: DiscoveredDevice;
  readonly seenAtMs: number;
}

/**
 * Time after which a device no longer counts as present. Devices are queried every 2 seconds. The sketch that a device announced before
 * this time is ignored, because the device may run a different one after a restart.
 */
const presentMs = 10_000;

/** Facts about a device from its announcements. */
export interface SeenTarget extends FoundTarget {
  readonly isPresent: boolean;
  readonly requiresPassword: boolean;
}

/** Announced device that is not in the inventory. A device can announce several services. */
export interface UnlistedDevice {
  readonly host: string;
  readonly services: readonly DiscoveredDevice[];
}

/** Devices that have announced themselves since the command started. */
export class Sightings {
  readonly #now: () => number;
  readonly #seen = new Map<string, Sighting>();

  /**
   * @param onChange called when a device appears or announces something else
   * @param now milliseconds since 1970
   */
  constructor(discovery: Discovery | undefined, onChange: () => void, now: () => number = Date.now) {
    this.#now = now;
    discovery?.watch((device) => {
      const identity = identityOf(device);
      const before = this.#seen.get(identity);
      if (before === undefined && this.#seen.size >= mostDevices) return;
      this.#seen.set(identity, { device, seenAtMs: this.#now() });
      if (!isDeepStrictEqual(before?.device, device) || !this.#isPresent(before)) onChange();
    });
  }

  /** Returns all announced services. */
  devices(): readonly DiscoveredDevice[] {
    return [...this.#seen.values()].map(({ device }) => device);
  }

  /** @param stored devices found in earlier runs, for the address of a device that does not announce itself now */
  of(target: Target, stored: readonly StoredDevice[]): SeenTarget {
    const own = [...this.#seen.values()].filter(({ device }) => isAnnouncementOf(target, device));
    const present = own.filter((sighting) => this.#isPresent(sighting)).map(({ device }) => device);
    const known = [
      ...present,
      ...own.map(({ device }) => device),
      ...stored.filter((each) => isAnnouncementOf(target, each)),
    ];
    return {
      address: known[0]?.address,
      sketchMd5: present.find(({ sketchMd5 }) => sketchMd5 !== undefined)?.sketchMd5,
      isPresent: present.length > 0,
      requiresPassword: own.some(({ device }) => device.method === target.method && device.auth === true),
    };
  }

  /** Returns the devices of which no service belongs to a target. */
  unlisted(targets: readonly Target[]): readonly UnlistedDevice[] {
    const byHost = new Map<string, DiscoveredDevice[]>();
    const listed = new Set<string>();
    for (const { device } of this.#seen.values()) {
      if (targets.some((target) => isAnnouncementOf(target, device))) listed.add(device.host);
      byHost.set(device.host, [...(byHost.get(device.host) ?? []), device]);
    }
    return [...byHost]
      .filter(([host]) => !listed.has(host))
      .map(([host, services]) => ({ host, services }))
      .sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  #isPresent(sighting: Sighting | undefined): boolean {
    return sighting !== undefined && this.#now() - sighting.seenAtMs < presentMs;
  }
}
