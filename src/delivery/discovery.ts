import { Mdns, type MdnsPlace, type SeenService, type ServiceType } from './mdns.ts';
import type { DeliveryWayName } from './ways.ts';

/** A device that announced itself. It is nobody's until somebody adds it to an inventory by name. */
export interface DiscoveredDevice {
  /** web: a web server, which may have an updater or not. */
  readonly method: DeliveryWayName;
  readonly name: string;
  /** `kitchen.local` */
  readonly host: string;
  /** IPv4. */
  readonly address: string;
  readonly port: number;
  /** As the core names it: `ESP8266_WEMOS_D1MINI`, `PLATFORMIO_D1_MINI`. */
  readonly board?: string | undefined;
  /** Whether its updates want a password. */
  readonly auth?: boolean | undefined;
  /** What `ESP.getSketchMD5()` gives, where the sketch announces it: {@link sketchMd5Key}. */
  readonly sketchMd5?: string | undefined;
}

/**
 * The TXT entry by which a sketch shows what it is:
 * `MDNS.addServiceTxt("arduino", "tcp", "sketch_md5", ESP.getSketchMD5().c_str())`, or the same with "http".
 */
const sketchMd5Key = 'sketch_md5';

const methods = { arduino: 'espota', http: 'web' } as const satisfies Record<ServiceType, DeliveryWayName>;
const allTypes: readonly ServiceType[] = ['arduino', 'http'];

/** From one question to the next: often at first, since answers are lost; then, after RFC 6762, more seldom. */
const askAgainMs = [250, 1000, 2000];
const askSeldomMs = 2000;

/**
 * Listens for devices while anybody watches. Each answer is told, those that say nothing new too: that a device answers at all is news after
 * its restart.
 */
export class Lookout {
  readonly #mdns: Mdns;
  readonly #watchers = new Set<(device: DiscoveredDevice) => void>();
  #timer: NodeJS.Timeout | undefined;
  #round = 0;

  private constructor(mdns: Mdns) {
    this.#mdns = mdns;
    mdns.onService((service) => this.#tell(describe(service)));
  }

  /** @returns why not, where this machine cannot listen */
  static async open(place: MdnsPlace = {}): Promise<Lookout | { readonly unavailable: string }> {
    const mdns = await Mdns.open(place);
    return mdns instanceof Mdns ? new Lookout(mdns) : mdns;
  }

  /** @returns a function that ends the watch */
  watch(onDevice: (device: DiscoveredDevice) => void): () => void {
    this.#watchers.add(onDevice);
    this.#round = 0;
    if (this.#timer === undefined) this.#ask();
    return () => {
      this.#watchers.delete(onDevice);
      if (this.#watchers.size === 0) this.#rest();
    };
  }

  close(): void {
    this.#watchers.clear();
    this.#rest();
    this.#mdns.close();
  }

  #ask(): void {
    this.#mdns.ask(allTypes);
    this.#timer = setTimeout(() => this.#ask(), askAgainMs[this.#round] ?? askSeldomMs);
    this.#round += 1;
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(device: DiscoveredDevice): void {
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

/** What tells one announcement from another. */
export function identityOf({ method, host, name, port }: DiscoveredDevice): string {
  return [method, host, name, port].join(' ');
}
