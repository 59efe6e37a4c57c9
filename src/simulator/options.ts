import type { FlashMode } from '../core/model/artifact.ts';
import type { Manifest } from '../core/model/manifest.ts';
import type { BuildOptions } from './build.ts';
import type { Faults } from './faults.ts';
import type { UpdateMode } from './http-request.ts';
import type { LinkModel } from './link.ts';
import type { MdnsOptions } from './mdns.ts';
import type { SyntheticSketchOptions } from './synthetic-sketch.ts';
import type { Timings } from './timings.ts';
import type { WebLogin } from './web-updater.ts';

/** What a virtual device is and does; everything has a default. */
export interface VirtualEspOptions extends Omit<BuildOptions, 'publicKey'> {
  /** What it runs, as the compiler made it (no gzip, no signature), or what a made-up sketch is to be like. */
  readonly image?: Uint8Array | SyntheticSketchOptions | undefined;
  /** Byte 2 of the header in flash; what the image says by default. */
  readonly flashMode?: FlashMode | undefined;
  /** Of the chip that is soldered on, 4 MB by default. */
  readonly chipSizeBytes?: number | undefined;
  /** The key that the running sketch was built with: it takes only what is signed with it. */
  readonly publicKey?: BuildOptions['publicKey'] | undefined;
  /** How an image that an update brings was built; see `buildAfterUpdate`. */
  readonly next?: BuildOptions | ((image: Uint8Array) => BuildOptions) | undefined;
  /** Builds whose images the device may come to run: what they are is read from these. */
  readonly manifests?: readonly Manifest[] | undefined;

  /** Where it listens, 127.0.0.1 by default. */
  readonly host?: string | undefined;
  /** 0, the default, for any. */
  readonly otaPort?: number | undefined;
  /** What is spoken on that port: ArduinoOTA, or ESPHome's own protocol (TCP), of which there is no more than the greeting. */
  readonly speaks?: 'arduino' | 'esphome' | undefined;
  /** Of ArduinoOTA; none by default. */
  readonly password?: string | undefined;
  /** TCP, of the web updater; 0 for any. Without it there is none. */
  readonly webPort?: number | undefined;
  /** `/update` by default. */
  readonly webPath?: string | undefined;
  /** Of the web updater; none by default. */
  readonly webLogin?: WebLogin | undefined;

  /** Where its HTTP client asks for updates; without it, it does not ask. */
  readonly updateUrl?: string | undefined;
  /** From one question to the next, one minute by default. The first one comes when it has started. */
  readonly updateIntervalMs?: number | undefined;
  /** `sketch` by default. */
  readonly updateMode?: UpdateMode | undefined;
  /** Off by default, as on the device. */
  readonly followsRedirects?: boolean | undefined;
  /** The certificates (PEM) that it trusts for https; any, when it is absent. */
  readonly ca?: string | undefined;
  /** What `ESP.getSdkVersion()` says. */
  readonly sdkVersion?: string | undefined;

  /** Announces itself; it does not, when this is absent. */
  readonly mdns?: MdnsOptions | undefined;

  readonly mac?: string | undefined;
  readonly hostname?: string | undefined;
  /** Drives all that is left to chance; the same seed and the same traffic give the same faults. */
  readonly seed?: number | undefined;
  readonly link?: Partial<LinkModel> | undefined;
  readonly faults?: Faults | undefined;
  readonly timings?: Partial<Timings> | undefined;
}
