import { networkInterfaces } from 'node:os';
import type { Bonjour, ServiceConfig } from 'bonjour-service';
import { mdnsPort, openMdnsSocket } from '../delivery/mdns-socket.ts';
import type { DeviceContext } from './device-context.ts';

/** Options for the mDNS announcement of a device. */
export interface MdnsOptions {
  /** Board name of the core (`ARDUINO_BOARD`), such as `ESP8266_WEMOS_D1MINI`. */
  readonly board?: string | undefined;
  /** True to announce `sketch_md5`, as some sketches do. */
  readonly announcesSketchMd5?: boolean | undefined;
  /** TXT entries in addition to the default entries. An entry replaces the default entry with the same key. */
  readonly txt?: Readonly<Record<string, string>> | undefined;
  /** UDP port; defaults to 5353. Tests use a different port for isolation. */
  readonly port?: number | undefined;
}

/** Data about the device for the mDNS announcement. */
export interface Announced {
  readonly hostname: string;
  readonly otaPort: number;
  readonly webPort: number | undefined;
  readonly requiresPassword: boolean;
}

/**
 * Announces a device until it restarts: `_arduino._tcp` as `MDNS.enableArduino` does, and `_http._tcp` for the web updater. Like a real
 * device that restarts or fails, a virtual device sends no goodbye packet. A device on 127.0.0.1 is announced only on the loopback
 * interface.
 *
 * bonjour-service checks for a conflicting name first, so the announcement is sent after about a second.
 *
 * @throws Error if mDNS is not available on this machine
 * @internal
 */
export async function announce(device: DeviceContext, options: MdnsOptions, announced: Announced): Promise<void> {
  const { Bonjour } = await import('bonjour-service');
  const { port = mdnsPort } = options;
  for (const address of addressesOf(device.host)) {
    const socket = await openMdnsSocket(address, port);
    // bonjour-service passes these options to multicast-dns, but its types declare only service options.
    const bonjour = new Bonjour({ socket, bind: false, port } as object, () => undefined);
    for (const service of servicesOf(device, options, announced)) publish(bonjour, service, address);
    const stop = () => bonjour.destroy();
    if (device.restartSignal.aborted) stop();
    else device.restartSignal.addEventListener('abort', stop, { once: true });
  }
}

function servicesOf(device: DeviceContext, options: MdnsOptions, announced: Announced): readonly ServiceConfig[] {
  const { hostname, otaPort, webPort, requiresPassword } = announced;
  const common = {
    ...(options.announcesSketchMd5 === true ? { sketch_md5: device.firmware.sketchMd5 } : {}),
    ...options.txt,
  };
  const arduino = {
    tcp_check: 'no',
    ssh_upload: 'no',
    board: options.board ?? 'ESP8266_GENERIC',
    auth_upload: requiresPassword ? 'yes' : 'no',
    ...common,
  };
  const base = { name: hostname, host: `${hostname}.local`, disableIPv6: true };
  return [
    { ...base, type: 'arduino', port: otaPort, txt: arduino },
    ...(webPort === undefined ? [] : [{ ...base, type: 'http', port: webPort, txt: common }]),
  ];
}

/** Publishes a service with only the device's address. By default, bonjour-service would announce all addresses of this machine. */
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
