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

/** Options for a virtual device. All have defaults. */
export interface VirtualDeviceOptions extends Omit<SimulatedBuildOptions, 'publicKey'> {
  /** Image of the running sketch as written by the compiler (no gzip, no signature), or options for a synthetic sketch. */
  readonly image?: Uint8Array | SyntheticSketchOptions | undefined;
  /** Flash mode (byte 2 of the header in flash); defaults to the value in the image. */
  readonly flashMode?: FlashMode | undefined;
  /** Size of the physical flash chip; defaults to 4 MB. */
  readonly chipSizeBytes?: number | undefined;
  /** Key that the running sketch was built with: the sketch accepts only updates signed with this key. Undefined: no signature check. */
  readonly publicKey?: SimulatedBuildOptions['publicKey'] | undefined;
  /** Build options for the images that updates install; see `buildAfterUpdate`. */
  readonly next?: SimulatedBuildOptions | ((image: Uint8Array) => SimulatedBuildOptions) | undefined;
  /** Manifests for images that updates may install; core, layout, version and key are read from them. */
  readonly manifests?: readonly Manifest[] | undefined;

  /** Address that the device listens on; defaults to 127.0.0.1. */
  readonly host?: string | undefined;
  /** Port for updates sent by a host. 0, the default, selects a free port. */
  readonly otaPort?: number | undefined;
  /** Protocol on `otaPort`: ArduinoOTA, the default, or ESPHome's (TCP), which is simulated only up to the greeting. */
  readonly otaProtocol?: 'arduino' | 'esphome' | undefined;
  /** ArduinoOTA password; none by default. */
  readonly password?: string | undefined;
  /** TCP port for the web updater; 0 selects a free port. Undefined: no web updater. */
  readonly webPort?: number | undefined;
  /** Path of the web updater; defaults to `/update`. */
  readonly webPath?: string | undefined;
  /** Login for the web updater; none by default. */
  readonly webLogin?: WebLogin | undefined;

  /** URL that the HTTP client checks for updates. Undefined: no update checks. */
  readonly updateUrl?: string | undefined;
  /** Time between update checks; defaults to one minute. The first check runs at startup. */
  readonly updateIntervalMs?: number | undefined;
  /** Kind of update that the HTTP client requests; defaults to `sketch`. */
  readonly updateMode?: UpdateMode | undefined;
  /** Whether the HTTP client follows redirects. Off by default, as on a real device. */
  readonly followsRedirects?: boolean | undefined;
  /** Trusted certificates (PEM) for https. Undefined: all certificates are accepted. */
  readonly ca?: string | undefined;
  /** Return value of `ESP.getSdkVersion()`. */
  readonly sdkVersion?: string | undefined;

  /** Options for the mDNS announcement. Undefined: no announcement. */
  readonly mdns?: MdnsOptions | undefined;

  readonly mac?: string | undefined;
  readonly hostname?: string | undefined;
  /** Seed for all random choices: the same seed and the same traffic produce the same faults. */
  readonly seed?: number | undefined;
  readonly link?: Partial<LinkModel> | undefined;
  readonly faults?: Faults | undefined;
  readonly timings?: Partial<Timings> | undefined;
}
