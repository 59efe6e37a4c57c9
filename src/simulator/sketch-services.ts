import { ArduinoOta } from './arduino-ota.ts';
import { pollForUpdates } from './http-updater.ts';
import type { Identity } from './identity.ts';
import { announce } from './mdns.ts';
import type { VirtualEspOptions } from './options.ts';
import type { Esp } from './services.ts';
import { UdpPort } from './udp-port.ts';
import { WebServer } from './web-server.ts';
import { WebUpdater } from './web-updater.ts';

/** What a sketch has on the network: ArduinoOTA, the web updater, the HTTP client, mDNS. */
export interface SketchServices {
  readonly otaPort: number;
  readonly webPort: number | undefined;
  /** `setup()`: everything begins anew. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the ports. They stay open until `close`, also while the device restarts, so that no other program gets them meanwhile; what comes
 * then is dropped.
 */
export async function openServices(
  esp: Esp,
  options: VirtualEspOptions,
  identity: Identity,
  hostname: string,
): Promise<SketchServices> {
  const { otaPort = 0, password, webPort, webPath = '/update', webLogin } = options;
  const udpLink = { rttMs: esp.link.rttMs, faults: options.faults?.udp ?? {}, random: esp.random };
  const udp = await UdpPort.open(esp.host, otaPort, udpLink, (datagram, from) => {
    if (esp.isUp) ota.receive(datagram, from);
  });
  const ota = new ArduinoOta(esp, udp, password);
  const webUpdater = new WebUpdater(esp, webPath, webLogin);
  const web = webPort === undefined ? undefined : await openWeb(esp, webPort, webUpdater, udp);
  let closed: Promise<unknown> | undefined;
  return {
    otaPort: udp.port,
    webPort: web?.port,
    async start() {
      ota.reset();
      web?.reset();
      webUpdater.reset();
      if (options.mdns !== undefined) {
        const wantsPassword = password !== undefined && password !== '';
        await announce(esp, options.mdns, { hostname, otaPort: udp.port, webPort: web?.port, wantsPassword });
      }
      startPolling(esp, options, identity);
    },
    async close() {
      closed ??= Promise.all([udp.close(), web?.close()]);
      await closed;
    },
  };
}

/** A port that cannot be had must not leave the other one open. */
async function openWeb(esp: Esp, port: number, site: WebUpdater, udp: UdpPort): Promise<WebServer> {
  try {
    return await WebServer.open(esp, port, site);
  } catch (error) {
    await udp.close();
    throw error;
  }
}

function startPolling(esp: Esp, options: VirtualEspOptions, identity: Identity): void {
  const { updateUrl, updateIntervalMs = 60_000, updateMode = 'sketch' } = options;
  const { followsRedirects = false, ca, sdkVersion = '2.2.2-dev(38a443e)' } = options;
  if (updateUrl === undefined) return;
  const updater = { url: updateUrl, intervalMs: updateIntervalMs, mode: updateMode, followsRedirects, ca, sdkVersion };
  pollForUpdates(esp, identity, updater).catch((error: unknown) => esp.fail(error));
}
