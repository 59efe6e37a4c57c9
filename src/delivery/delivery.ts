import type { ImageKind } from '../core/model/artifact.ts';
import type { ProgressListener } from './progress.ts';
import type { DeliveryTimings } from './timings.ts';
import type { DeliveryVerdict } from './verdict.ts';

/** Device address and how to reach the device from this machine. */
export interface DeliveryTarget {
  /** IPv4 address or resolvable name (`door.local`). */
  readonly host: string;
  /** Device port; defaults to the default port for the delivery method. */
  readonly port?: number | undefined;
  /** Address of this machine that the device connects to; defaults to the source address of the route to the device. */
  readonly hostIp?: string | undefined;
  /** espota: TCP port of this machine that the device connects to; defaults to any free port. */
  readonly hostPort?: number | undefined;
  /** Web updater: form path; defaults to `/update`. */
  readonly path?: string | undefined;
  /** Web updater: user name; defaults to `admin`. */
  readonly user?: string | undefined;
}

export interface DeliveryOptions {
  readonly kind: ImageKind;
  /** Plain-text password; it never appears in a verdict or in progress reports. */
  readonly password?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly timings?: Partial<DeliveryTimings> | undefined;
}

/** Method for delivering bytes to a device. To add a method, create a folder beside this file and add a line to delivery-methods.ts. */
export interface DeliveryMethod {
  /** Port that devices listen on unless the sketch changes it. */
  readonly defaultPort: number;
  /**
   * Sends an artifact to a device and returns the result. All sockets are closed when it returns.
   *
   * @param artifact bytes to send unchanged, already signed and compressed if required
   * @throws the signal's abort reason; OtaError UPLOAD_LISTEN_FAILED if this machine cannot listen on the requested address or port;
   * UPDATE_PATH_INVALID if the path of the web updater is invalid
   */
  deliver(target: DeliveryTarget, artifact: Uint8Array, options: DeliveryOptions): Promise<DeliveryVerdict>;
}
