import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Bonjour, Browser, Service } from 'bonjour-service';
import { deviceText } from './device-text.ts';
import { mdnsPort, openMdnsSocket } from './mdns-socket.ts';

/** Of ArduinoOTA, and of whatever has a web server: among them the web updaters. */
export type ServiceType = 'arduino' | 'http';

/** What a device announces; all of it is the device's own word. */
export interface SeenService {
  readonly type: ServiceType;
  /** Of this instance: the host name, most often. */
  readonly name: string;
  /** `kitchen.local`, in lower case. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
}

export interface MdnsPlace {
  /** Addresses of this machine whose networks are asked. By default every network that it is in, but not itself. */
  readonly interfaces?: readonly string[] | undefined;
  readonly port?: number | undefined;
}

/**
 * Ears for mDNS on one or several networks. Each answer is told, those that say nothing new too: that a device answers at all is news after
 * its restart.
 */
export class Mdns {
  readonly #links: readonly Bonjour[];
  readonly #listeners = new Set<(service: SeenService) => void>();
  #browsers: Browser[] = [];

  private constructor(links: readonly Bonjour[]) {
    this.#links = links;
  }

  /** @returns why not, where this machine cannot take part in mDNS at all */
  static async open({
    interfaces = ownAddresses(),
    port = mdnsPort,
  }: MdnsPlace = {}): Promise<Mdns | { readonly unavailable: string }> {
    const { Bonjour } = await import('bonjour-service');
    const links: Bonjour[] = [];
    let why = 'it is in no network';
    for (const address of interfaces) {
      try {
        const socket = await openMdnsSocket(address, port);
        // Handed through to multicast-dns, which names these options; the type of bonjour-service knows only those of a service.
        const options = { socket, bind: false, port } as object;
        links.push(new Bonjour(options, () => undefined));
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
    }
    return links.length === 0 ? { unavailable: why } : new Mdns(links);
  }

  /** @returns a function that ends the subscription */
  onService(listener: (service: SeenService) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks everybody. A browser tells each service once, so that every question has browsers of its own. */
  ask(types: readonly ServiceType[]): void {
    this.#stopBrowsing();
    this.#browsers = this.#links.flatMap((link) =>
      types.map((type) => link.find({ type }, (service) => this.#tell(type, service))),
    );
  }

  close(): void {
    this.#stopBrowsing();
    this.#listeners.clear();
    for (const link of this.#links) link.destroy();
  }

  #stopBrowsing(): void {
    for (const browser of this.#browsers) browser.stop();
    this.#browsers = [];
  }

  #tell(type: ServiceType, service: Service): void {
    const seen = readService(type, service);
    if (seen === undefined) return;
    for (const listener of [...this.#listeners]) listener(seen);
  }
}

/** One address of each network that this machine is in. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => address)
      .slice(0, 1),
  );
}

/** Some answers leave records out, and what comes over the network may be anything: then there is nothing to tell. */
function readService(type: ServiceType, service: Service): SeenService | undefined {
  const address = service.addresses?.find(isIPv4) ?? service.referer?.address;
  const { name, host, port } = service;
  if (address === undefined || typeof host !== 'string' || !Number.isInteger(port)) return undefined;
  const txt: Record<string, string> = {};
  for (const [key, value] of Object.entries(service.txt ?? {})) {
    if (typeof value === 'string') txt[clean(key).toLowerCase()] = clean(value);
  }
  return { type, name: clean(name), host: clean(host).toLowerCase(), address, port, txt };
}

function clean(text: string): string {
  return deviceText(text, []);
}
