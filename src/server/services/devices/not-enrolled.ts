import { LRUCache } from 'lru-cache';
import type { NotEnrolledInfo } from '../../../api/admin-info.ts';

/** Device that sent an update check to an alias and was sent nothing, because no project was found for it. */
export interface NotEnrolledDevice extends Omit<NotEnrolledInfo, 'lastSeenAt'> {
  readonly lastSeenAt: number;
}

/** Number of devices in memory. Each uses about 500 bytes, and appears again with its next update check. */
const mostDevices = 500;
/** Number of devices from one network, so that invented devices cannot displace all others. */
const mostPerAddress = 100;

/** Devices on aliases without a project, newest first. They are kept only in memory, because anyone can invent MACs. */
export class NotEnrolledDevices {
  readonly #devices = new LRUCache<string, NotEnrolledDevice>({ max: mostDevices });

  add(device: NotEnrolledDevice): void {
    const { mac, address } = device;
    if (!this.#devices.has(mac)) {
      const fromThere = this.list().filter((other) => other.address === address);
      const oldest = fromThere.at(-1);
      if (fromThere.length >= mostPerAddress && oldest !== undefined) this.#devices.delete(oldest.mac);
    }
    this.#devices.set(mac, device);
  }

  list(): NotEnrolledDevice[] {
    return [...this.#devices.values()];
  }

  /** Removes a device that was enrolled or for which a project was found. */
  remove(mac: string): void {
    this.#devices.delete(mac);
  }
}

/**
 * Returns the devices on aliases without a project.
 *
 * @param only project of the user's token; such a user sees only devices on the aliases of this project
 */
export function devicesNotEnrolled(
  { notEnrolled }: { readonly notEnrolled: NotEnrolledDevices },
  only: string | undefined,
): readonly NotEnrolledDevice[] {
  const all = notEnrolled.list();
  if (only === undefined) return all;
  const isOwn = (project: string) => project === only;
  return all
    .filter(({ projects }) => projects.some(isOwn))
    .map((device) => ({
      ...device,
      projects: device.projects.filter(isOwn),
      knownIn: device.knownIn.filter(isOwn),
    }));
}
