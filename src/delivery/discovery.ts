import type { DeliveryMethodName } from './delivery-methods.ts';
import { Mdns, type MdnsPlace, type SeenService, type ServiceType } from './mdns.ts';

/** Discovered device. A device becomes part of the inventory only when a user adds it by name. */
export interface DiscoveredDevice {
  /** Service that the device announces. `web`: a web server, with or without an updater. */
  readonly method: DeliveryMethodName;
  readonly name: string;
  /** Host name of the device, such as `kitchen.local`. */
  readonly host: string;
  /** IPv4 address of the device. */
  readonly address: string;
  readonly port: number;
  /** Board name that the core announces, such as `ESP8266_WEMOS_D1MINI` or `PLATFORMIO_D1_MINI`. */
  readonly board?: string | undefined;
  /** True if updates require a password; undefined if unknown. */
  readonly auth?: boolean | undefined;
  /** MD5 of the running sketch, if the sketch announces it in {@link sketchMd5Key}. */
  readonly sketchMd5?: string | undefined;
}

/**
 * Key of the TXT entry in which a sketch announces its MD5: `MDNS.addServiceTxt("arduino", "tcp", "sketch_md5",
 * ESP.getSketchMD5().c_str())`. The service can also be "http".
 */
const sketchMd5Key = 'sketch_md5';

const methods = { arduino: 'espota', http: 'web' } as const satisfies Record<ServiceType, DeliveryMethodName>;
const allTypes: readonly ServiceType[] = ['arduino', 'http'];

/** Delays between queries. The first delays are short, because responses can be lost. */
const firstQueryIntervalsMs = [250, 1000, 2000];
const queryIntervalMs = 2000;

/**
 * Queries for devices while watchers are registered. Watchers also receive repeated responses, because any response can show that a
 * device is online again after a restart.
 */
export class Discovery {
  readonly #mdns: Mdns;
  readonly #watchers = new Set<(device: DiscoveredDevice) => void>();
  #timer: NodeJS.Timeout | undefined;
  #round = 0;

  private constructor(mdns: Mdns) {
    this.#mdns = mdns;
    mdns.onService((service) => this.#notify(describe(service)));
  }

  /**
   * Opens the mDNS sockets.
   *
   * @returns discovery, or the reason why this machine cannot use mDNS
   */
  static async open(place: MdnsPlace = {}): Promise<Discovery | { readonly unavailable: string }> {
    const mdns = await Mdns.open(place);
    return mdns instanceof Mdns ? new Discovery(mdns) : mdns;
  }

  /**
   * Registers a watcher and starts querying.
   *
   * @returns a function that removes the watcher
   */
  watch(onDevice: (device: DiscoveredDevice) => void): () => void {
    this.#watchers.add(onDevice);
    this.#round = 0;
    if (this.#timer === undefined) this.#query();
    return () => {
      this.#watchers.delete(onDevice);
      if (this.#watchers.size === 0) this.#stop();
    };
  }

  close(): void {
    this.#watchers.clear();
    this.#stop();
    this.#mdns.close();
  }

  #query(): void {
    this.#mdns.query(allTypes);
    this.#timer = setTimeout(() => this.#query(), firstQueryIntervalsMs[this.#round] ?? queryIntervalMs);
    this.#round += 1;
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #notify(device: DiscoveredDevice): void {
    for (const watcher of [...this.#watchers]) watcher(device);
  }
}

function describe({ type, name, host, address, port, txt }: SeenService): DiscoveredDevice {
  const auth = txt['auth_upload'];
  const sketchMd5 = txt[sketchMd5Key]?.toLowerCase();
  return {
    method: methods[type],
    name,
    host,
    address,
    port,
    board: txt['board'],
    auth: auth === 'yes' ? true : auth === 'no' ? false : undefined,
    sketchMd5: sketchMd5 !== undefined && /^[0-9a-f]{32}$/.test(sketchMd5) ? sketchMd5 : undefined,
  };
}

/** Returns a key that identifies a service announced by a device. Two devices on different networks may have the same name. */
export function identityOf(device: DiscoveredDevice): string {
  return `${nameKeyOf(device)} ${device.address}`;
}

/** Returns the same key for a device after its address has changed, but also for a different device of this name. */
export function nameKeyOf({ method, host, name, port }: DiscoveredDevice): string {
  return [method, host, name, port].join(' ');
}
