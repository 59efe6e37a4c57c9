import type { ImageKind } from '../core/model/artifact.ts';
import type { WebPreset } from '../core/model/web-preset.ts';
import type { ProgressListener } from './progress.ts';
import type { DeliveryTimings } from './timings.ts';
import type { DeliveryVerdict } from './verdict.ts';

/** Address of a device, and options for connecting to the device. */
export interface DeliveryTarget {
  /** IPv4 address or resolvable name of the device, such as `door.local`. */
  readonly host: string;
  /** Port of the device. Defaults to the default port of the delivery method. */
  readonly port?: number | undefined;
  /** Address of this machine for connections from the device. Defaults to the source address of the route to the device. */
  readonly hostIp?: string | undefined;
  /** TCP port of this machine that the device connects to for espota. Defaults to any free port. */
  readonly hostPort?: number | undefined;
  /** Firmware whose web updater is used. Defaults to the form of `ESP8266HTTPUpdateServer`. */
  readonly preset?: WebPreset | undefined;
  /** Form path of the web updater. Defaults to the path of the preset, or to `/update`. */
  readonly path?: string | undefined;
  /** Name of the form field for a sketch. Defaults to the field of the preset, or to `firmware`. */
  readonly field?: string | undefined;
  /** User name for the web updater. Defaults to `admin`. */
  readonly user?: string | undefined;
}

export interface DeliveryOptions {
  readonly kind: ImageKind;
  /** Plain-text password of the device. The password never appears in a verdict or in progress reports. */
  readonly password?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly timings?: Partial<DeliveryTimings> | undefined;
}

/** Method for sending an artifact to a device. To add a method, create a folder beside this file and add a line to delivery-methods.ts. */
export interface DeliveryMethod {
  /** Default port of devices. A sketch can change the port. */
  readonly defaultPort: number;
  /**
   * Sends an artifact to a device and returns the result. All sockets are closed before the function returns.
   *
   * @param artifact bytes to send unchanged, already signed and compressed if required
   * @throws the signal's abort reason; OtaError UPLOAD_LISTEN_FAILED if this machine cannot listen on the requested address or port;
   *   UPDATE_PATH_INVALID if the path of the web updater is invalid
   */
  deliver(target: DeliveryTarget, artifact: Uint8Array, options: DeliveryOptions): Promise<DeliveryVerdict>;
}
