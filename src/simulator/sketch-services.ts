import type { DeviceContext } from './device-context.ts';
import { pollForUpdates } from './http-updater.ts';
import type { Identity } from './identity.ts';
import { announce } from './mdns.ts';
import type { VirtualDeviceOptions } from './options.ts';
import { type OtaPort, openOtaPort } from './ota-port.ts';
import { VirtualWebServer } from './web-server.ts';
import { WebUpdater } from './web-updater.ts';

/** Network services of a sketch: ArduinoOTA, the web updater, the HTTP client, mDNS. */
export interface SketchServices {
  readonly otaPort: number;
  readonly webPort: number | undefined;
  /** Starts the services with cleared state, like `setup()` after a boot. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the ports of the services. The ports stay open during a restart, so that no other program can bind them. Traffic that arrives
 * during a restart is dropped.
 */
export async function openServices(
  device: DeviceContext,
  options: VirtualDeviceOptions,
  identity: Identity,
  hostname: string,
): Promise<SketchServices> {
  const { webPort, webPath = '/update', webLogin, password = '' } = options;
  const ota = await openOtaPort(device, options);
  const webUpdater = new WebUpdater(device, webPath, webLogin);
  const web = webPort === undefined ? undefined : await openWeb(device, webPort, webUpdater, ota);
  let closed: Promise<unknown> | undefined;
  return {
    otaPort: ota.port,
    webPort: web?.port,
    async start() {
      ota.reset();
      web?.reset();
      webUpdater.reset();
      if (options.mdns !== undefined) {
        const ports = { otaPort: ota.port, webPort: web?.port };
        await announce(device, options.mdns, { hostname, requiresPassword: password !== '', ...ports });
      }
      startPolling(device, options, identity);
    },
    async close() {
      closed ??= Promise.all([ota.close(), web?.close()]);
      await closed;
    },
  };
}

/** Opens the web server. If opening fails, the update port is closed. */
async function openWeb(
  device: DeviceContext,
  port: number,
  site: WebUpdater,
  other: OtaPort,
): Promise<VirtualWebServer> {
  try {
    return await VirtualWebServer.open(device, port, site);
  } catch (error) {
    await other.close();
    throw error;
  }
}

function startPolling(device: DeviceContext, options: VirtualDeviceOptions, identity: Identity): void {
  const { updateUrl, updateIntervalMs = 60_000, updateMode = 'sketch' } = options;
  const { followsRedirects = false, ca, sdkVersion = '2.2.2-dev(38a443e)' } = options;
  if (updateUrl === undefined) return;
  const updater = { url: updateUrl, intervalMs: updateIntervalMs, mode: updateMode, followsRedirects, ca, sdkVersion };
  pollForUpdates(device, identity, updater).catch((error: unknown) => device.fail(error));
}
