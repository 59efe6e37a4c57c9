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

/** Options for a virtual device. All options have defaults. */
export interface VirtualDeviceOptions extends Omit<SimulatedBuildOptions, 'publicKey'> {
  /**
   * Image of the running sketch as written by the compiler, or options for a synthetic sketch. The image must be neither compressed nor
   * signed.
   */
  readonly image?: Uint8Array | SyntheticSketchOptions | undefined;
  /** Flash mode: byte 2 of the header in flash. Defaults to the mode in the image. */
  readonly flashMode?: FlashMode | undefined;
  /** Size of the physical flash chip; defaults to 4 MB. */
  readonly chipSizeBytes?: number | undefined;
  /**
   * Key that the running sketch was built with. The sketch accepts only updates signed with this key. Undefined: signatures are not
   * checked.
   */
  readonly publicKey?: SimulatedBuildOptions['publicKey'] | undefined;
  /** Build properties of images that updates install; see `buildAfterUpdate`. */
  readonly next?: SimulatedBuildOptions | ((image: Uint8Array) => SimulatedBuildOptions) | undefined;
  /** Manifests of images that updates may install. The core, layout, version and key are read from the manifests. */
  readonly manifests?: readonly Manifest[] | undefined;

  /** Address that the device listens on; defaults to 127.0.0.1. */
  readonly host?: string | undefined;
  /** Port for updates sent by a host. Defaults to 0, which selects a free port. */
  readonly otaPort?: number | undefined;
  /** Protocol on `otaPort`: ArduinoOTA (default), or ESPHome over TCP. Only the greeting of ESPHome is simulated. */
  readonly otaProtocol?: 'arduino' | 'esphome' | undefined;
  /** Password for ArduinoOTA; none by default. */
  readonly password?: string | undefined;
  /** TCP port of the web updater. 0 selects a free port. Undefined: no web updater. */
  readonly webPort?: number | undefined;
  /** Path of the web updater; defaults to `/update`. */
  readonly webPath?: string | undefined;
  /** Credentials for the web updater; none by default. */
  readonly webLogin?: WebLogin | undefined;

  /** URL that the HTTP client checks for updates. Undefined: no update checks. */
  readonly updateUrl?: string | undefined;
  /** Interval between update checks. Defaults to one minute. The first check runs at startup. */
  readonly updateIntervalMs?: number | undefined;
  /** Kind of image that the HTTP client requests. Defaults to `sketch`. */
  readonly updateMode?: UpdateMode | undefined;
  /** True if the HTTP client follows redirects. Defaults to false, as on a real device. */
  readonly followsRedirects?: boolean | undefined;
  /** Trusted certificates (PEM) for https. Undefined: all certificates are accepted. */
  readonly ca?: string | undefined;
  /** Version of the SDK (`ESP.getSdkVersion()`). */
  readonly sdkVersion?: string | undefined;

  /** Options for the mDNS announcement. Undefined: no announcement. */
  readonly mdns?: MdnsOptions | undefined;

  readonly mac?: string | undefined;
  readonly hostname?: string | undefined;
  /** Seed for all random choices. The same seed and the same traffic produce the same faults. */
  readonly seed?: number | undefined;
  readonly link?: Partial<LinkModel> | undefined;
  readonly faults?: Faults | undefined;
  readonly timings?: Partial<Timings> | undefined;
}
