import { networkInterfaces } from 'node:os';
import type { Bonjour, ServiceConfig } from 'bonjour-service';
import { mdnsPort, openMdnsSocket } from '../delivery/mdns-socket.ts';
import type { Esp } from './services.ts';

/** How a device announces itself. */
export interface MdnsOptions {
  /** What the core calls the board (`ARDUINO_BOARD`), such as `ESP8266_WEMOS_D1MINI`. */
  readonly board?: string | undefined;
  /** Announces `sketch_md5` too, as a sketch of its own accord may. */
  readonly tellsSketchMd5?: boolean | undefined;
  /** More entries, or others in the place of the usual ones. */
  readonly txt?: Readonly<Record<string, string>> | undefined;
  /** 5353, unless tests want to be among themselves. */
  readonly port?: number | undefined;
}

/** What there is to announce. */
export interface Announced {
  readonly hostname: string;
  readonly otaPort: number;
  readonly webPort: number | undefined;
  readonly wantsPassword: boolean;
}

/**
 * Announces a device until its present life ends: `_arduino._tcp` as `MDNS.enableArduino` does, and `_http._tcp` for the web updater. It
 * goes without a goodbye, as a device does that restarts or dies. A device on 127.0.0.1 is announced on the loopback interface only.
 *
 * bonjour-service listens for a conflicting name first, so that the announcement comes after about a second.
 *
 * @throws Error when this machine cannot take part in mDNS
 * @internal
 */
export async function announce(esp: Esp, options: MdnsOptions, announced: Announced): Promise<void> {
  const { Bonjour } = await import('bonjour-service');
  const { port = mdnsPort } = options;
  for (const address of addressesOf(esp.host)) {
    const socket = await openMdnsSocket(address, port);
    // Handed through to multicast-dns, which names these options; the type of bonjour-service knows only those of a service.
    const bonjour = new Bonjour({ socket, bind: false, port } as object, () => undefined);
    for (const service of servicesOf(esp, options, announced)) publish(bonjour, service, address);
    const yank = () => bonjour.destroy();
    if (esp.life.aborted) yank();
    else esp.life.addEventListener('abort', yank, { once: true });
  }
}

function servicesOf(esp: Esp, options: MdnsOptions, announced: Announced): readonly ServiceConfig[] {
  const { hostname, otaPort, webPort, wantsPassword } = announced;
  const common = {
    ...(options.tellsSketchMd5 === true ? { sketch_md5: esp.board.sketchMd5 } : {}),
    ...options.txt,
  };
  const arduino = {
    tcp_check: 'no',
    ssh_upload: 'no',
    board: options.board ?? 'ESP8266_GENERIC',
    auth_upload: wantsPassword ? 'yes' : 'no',
    ...common,
  };
  const base = { name: hostname, host: `${hostname}.local`, disableIPv6: true };
  return [
    { ...base, type: 'arduino', port: otaPort, txt: arduino },
    ...(webPort === undefined ? [] : [{ ...base, type: 'http', port: webPort, txt: common }]),
  ];
}

/** bonjour-service would give all addresses of this machine for those of the device. */
function publish(bonjour: Bonjour, config: ServiceConfig, address: string): void {
  const service = bonjour.publish(config);
  const allRecords = service.records.bind(service);
  service.records = () => [
    ...allRecords().filter(({ type }) => type !== 'A' && type !== 'AAAA'),
    { name: service.host, type: 'A', ttl: 120, data: address },
  ];
}

function addressesOf(host: string): readonly string[] {
  if (host !== '0.0.0.0') return [host];
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address),
  );
}
