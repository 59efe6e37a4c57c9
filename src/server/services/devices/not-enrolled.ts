import type { NotEnrolledDevice } from '../../storage/records.ts';
import type { NotEnrolledStore } from '../../storage/store.ts';
import type { Catalog } from '../releases/catalog.ts';

/** Number of devices in the list, and of check-ins that wait for the next write. A further device is listed at a later check-in. */
const mostDevices = 500;
/** Number of devices from one network, so that invented devices cannot displace all others. */
const mostPerAddress = 100;

/**
 * Devices on aliases without a project, newest first, which all processes share. Check-ins are written once a second: anyone can invent MACs,
 * and the number of writes must not depend on them.
 */
export class NotEnrolledDevices {
  readonly #store: NotEnrolledStore;
  readonly #waiting = new Map<string, NotEnrolledDevice>();
  readonly #removed = new Set<string>();
  /** MACs in the list at the last update: for a device that is not in the list, nothing must be removed. */
  #listed: ReadonlySet<string> = new Set();

  constructor(store: NotEnrolledStore) {
    this.#store = store;
  }

  /** Records a check-in. */
  add(device: NotEnrolledDevice): void {
    const { mac, address } = device;
    if (!this.#waiting.has(mac)) {
      if (this.#waiting.size >= mostDevices) return;
      const fromThere = [...this.#waiting.values()].filter((other) => other.address === address);
      if (fromThere.length >= mostPerAddress) return;
    }
    this.#waiting.set(mac, device);
    this.#removed.delete(mac);
  }

  /** Removes a device that was enrolled or for which a project was found. */
  remove(mac: string): void {
    if (this.#waiting.delete(mac) || this.#listed.has(mac)) this.#removed.add(mac);
  }

  /** Writes the check-ins and removals of this process, and returns the list. */
  async update(): Promise<readonly NotEnrolledDevice[]> {
    const [seen, removed] = [[...this.#waiting.values()], [...this.#removed]];
    if (seen.length + removed.length > 0)
      await this.#store.save({ seen, removed }, { most: mostDevices, mostPerAddress });
    for (const device of seen) if (this.#waiting.get(device.mac) === device) this.#waiting.delete(device.mac);
    for (const mac of removed) this.#removed.delete(mac);
    const list = await this.#store.list();
    this.#listed = new Set(list.map(({ mac }) => mac));
    return list;
  }
}

/**
 * Returns the devices on aliases without a project. Devices on an alias that was removed since their check-in are left out.
 *
 * @param only project of the user's token; such a user sees only devices on the aliases of this project
 */
export async function devicesNotEnrolled(
  { notEnrolled, catalog }: { readonly notEnrolled: NotEnrolledDevices; readonly catalog: Pick<Catalog, 'aliases'> },
  only: string | undefined,
): Promise<readonly NotEnrolledDevice[]> {
  const isShown = (project: string) => only === undefined || project === only;
  return (await notEnrolled.update())
    .map((device) => ({
      ...device,
      projects: catalog
        .aliases(device.path)
        .map(({ project }) => project)
        .filter(isShown),
      knownIn: device.knownIn.filter(isShown),
    }))
    .filter(({ projects }) => projects.length > 0);
}
