import type { FlashMode } from '../core/model/artifact.ts';
import type { Manifest } from '../core/model/manifest.ts';
import type { SimulatedBuildOptions } from './build.ts';
import type { Faults } from './faults.ts';
import type { UpdateMode } from './http-request.ts';
import type { LinkModel } from './link.ts';
import type { MdnsOptions } from './mdns.ts';
import type { SyntheticSketchOptions } from './synthetic-sketch.ts';
import type { Timings } from './timings.ts';
import type { WebLogin } from './web-updater.ts';

/** Options of a virtual device. All have defaults. */
export interface VirtualDeviceOptions extends Omit<SimulatedBuildOptions, 'publicKey'> {
  /** Running sketch image as the compiler made it (no gzip, no signature), or options for a synthetic sketch. */
  readonly image?: Uint8Array | SyntheticSketchOptions | undefined;
  /** Byte 2 of the header in flash. The value of the image by default. */
  readonly flashMode?: FlashMode | undefined;
  /** Size of the physical flash chip, 4 MB by default. */
  readonly chipSizeBytes?: number | undefined;
  /** Key that the running sketch was built with: it accepts only updates signed with it. No signature check by default. */
  readonly publicKey?: SimulatedBuildOptions['publicKey'] | undefined;
  /** Build options of the images that updates install; see `buildAfterUpdate`. */
  readonly next?: SimulatedBuildOptions | ((image: Uint8Array) => SimulatedBuildOptions) | undefined;
  /** Manifests of images that updates may install; core, layout, version and key are read from them. */
  readonly manifests?: readonly Manifest[] | undefined;

  /** Address that the device listens on, 127.0.0.1 by default. */
  readonly host?: string | undefined;
  /** Port for updates from a host. 0, the default, selects a free port. */
  readonly otaPort?: number | undefined;
  /** Protocol on that port: ArduinoOTA, the default, or ESPHome's (TCP), which is simulated up to the greeting. */
  readonly otaProtocol?: 'arduino' | 'esphome' | undefined;
  /** Password of ArduinoOTA; none by default. */
  readonly password?: string | undefined;
  /** TCP port of the web updater; 0 selects a free port. Undefined: no web updater. */
  readonly webPort?: number | undefined;
  /** Path of the web updater, `/update` by default. */
  readonly webPath?: string | undefined;
  /** Login of the web updater; none by default. */
  readonly webLogin?: WebLogin | undefined;

  /** URL that the HTTP client checks for updates. Undefined: no update checks. */
  readonly updateUrl?: string | undefined;
  /** Time between update checks, one minute by default. The first check runs at startup. */
  readonly updateIntervalMs?: number | undefined;
  /** Kind of update that the HTTP client requests, `sketch` by default. */
  readonly updateMode?: UpdateMode | undefined;
  /** Whether the HTTP client follows redirects. Off by default, as on a real device. */
  readonly followsRedirects?: boolean | undefined;
  /** Trusted certificates (PEM) for https. Undefined: all certificates are accepted. */
  readonly ca?: string | undefined;
  /** Return value of `ESP.getSdkVersion()`. */
  readonly sdkVersion?: string | undefined;

  /** Options of the mDNS announcement. Undefined: no announcement. */
  readonly mdns?: MdnsOptions | undefined;

  readonly mac?: string | undefined;
  readonly hostname?: string | undefined;
  /** Seed of all random choices: the same seed and the same traffic produce the same faults. */
  readonly seed?: number | undefined;
  readonly link?: Partial<LinkModel> | undefined;
  readonly faults?: Faults | undefined;
  readonly timings?: Partial<Timings> | undefined;
}
