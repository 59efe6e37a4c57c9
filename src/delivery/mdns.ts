import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Bonjour, Browser, Service } from 'bonjour-service';
import type { DeliveryTarget } from './delivery.ts';
import { deviceText } from './device-text.ts';
import { LimitedMdnsSocket } from './limited-mdns-socket.ts';
import { mdnsPort, openMdnsSocket } from './mdns-socket.ts';

/** Service types of ArduinoOTA (`arduino`) and of web servers (`http`). The latter type includes web updaters. */
export type ServiceType = 'arduino' | 'http';

/** Service announced by a device. The content is not verified. */
export interface SeenService {
  readonly type: ServiceType;
  /** Name of the service instance, usually the host name. */
  readonly name: string;
  /** Lower-case host name, such as `kitchen.local`. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
}

/** Maximum number of services that are reported after one query: two services of 1000 devices. */
const mostServices = 2000;

export interface MdnsPlace {
  /**
   * Local addresses whose networks are queried, or a function that returns them before each query. Defaults to all networks of this machine
   * except loopback, also those that it joins later.
   */
  readonly interfaces?: readonly string[] | (() => readonly string[]) | undefined;
  readonly port?: number | undefined;
}

/**
 * Listens for mDNS services on one or more networks. Listeners also receive repeated responses, because any response can show that a
 * device is online again after a restart.
 */
export class Mdns {
  readonly #interfaces: () => readonly string[];
  readonly #port: number;
  /** Sockets by the local address of their network. */
  readonly #links = new Map<string, Bonjour>();
  readonly #listeners = new Set<(service: SeenService) => void>();
  #browsers: Browser[] = [];
  /** Number of services reported since the last query. */
  #reported = 0;
  #isClosed = false;

  private constructor(interfaces: () => readonly string[], port: number) {
    this.#interfaces = interfaces;
    this.#port = port;
  }

  /**
   * Opens sockets on all interfaces that support mDNS.
   *
   * @returns the listener, or the reason why this machine cannot use mDNS
   */
  static async open({
    interfaces = ownAddresses,
    port = mdnsPort,
  }: MdnsPlace = {}): Promise<Mdns | { readonly unavailable: string }> {
    const mdns = new Mdns(typeof interfaces === 'function' ? interfaces : () => interfaces, port);
    const failures = await mdns.#followNetworks();
    if (mdns.#links.size > 0) return mdns;
    return { unavailable: failures.at(-1) ?? 'it is not connected to a network' };
  }

  /**
   * Opens sockets on networks that this machine has joined, and closes those on networks that it has left.
   *
   * @returns reasons why networks cannot be used
   */
  async #followNetworks(): Promise<readonly string[]> {
    const { Bonjour } = await import('bonjour-service');
    const addresses = this.#interfaces();
    for (const [address, link] of this.#links) {
      if (addresses.includes(address)) continue;
      this.#links.delete(address);
      link.destroy();
    }
    const failures: string[] = [];
    for (const address of addresses) {
      if (this.#links.has(address)) continue;
      try {
        const socket = new LimitedMdnsSocket(await openMdnsSocket(address, this.#port));
        // bonjour-service passes these options to multicast-dns, but its types declare only service options.
        const options = { socket, bind: false, port: this.#port } as object;
        const link = new Bonjour(options, () => undefined);
        // The listener may have been closed, or another query may have opened a socket, in the meantime.
        if (this.#isClosed || this.#links.has(address)) link.destroy();
        else this.#links.set(address, link);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    return failures;
  }

  /**
   * Registers a listener.
   *
   * @returns a function that removes the listener
   */
  onService(listener: (service: SeenService) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Queries all networks. Every query uses new browsers, because a browser reports each service only once. Networks that this machine has
   * just joined are part of the next query.
   */
  query(types: readonly ServiceType[]): void {
    this.#stopBrowsing();
    this.#reported = 0;
    void this.#followNetworks();
    this.#browsers = [...this.#links.values()].flatMap((link) =>
      types.map((type) => link.find({ type }, (service) => this.#notify(type, service))),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#stopBrowsing();
    this.#listeners.clear();
    for (const link of this.#links.values()) link.destroy();
    this.#links.clear();
  }

  #stopBrowsing(): void {
    for (const browser of this.#browsers) browser.stop();
    this.#browsers = [];
  }

  #notify(type: ServiceType, service: Service): void {
    const seen = readService(type, service);
    if (seen === undefined || this.#reported >= mostServices) return;
    this.#reported++;
    // A browser keeps all services and compares each new service with all of them.
    if (this.#reported === mostServices) this.#stopBrowsing();
    for (const listener of [...this.#listeners]) listener(seen);
  }
}

/** Returns the first IPv4 address of each network interface. Loopback is excluded. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => address)
      .slice(0, 1),
  );
}

/** Returns the local addresses whose networks can contain these devices. */
export function networksOf(targets: readonly Pick<DeliveryTarget, 'host' | 'hostIp'>[]): string[] {
  const named = targets.flatMap(({ hostIp }) => hostIp ?? []);
  const networks = named.length > 0 ? named : ownAddresses();
  const loopback = targets.some(({ host }) => host.startsWith('127.')) ? ['127.0.0.1'] : [];
  return [...new Set([...networks, ...loopback])];
}

/** Reads a service announcement. Network data is not trusted: the result is undefined if required records are missing or invalid. */
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
