import type { ImageKind } from '../core/model/artifact.ts';
import type { ProgressListener } from './progress.ts';
import type { DeliveryTimings } from './timings.ts';
import type { Verdict } from './verdict.ts';

/** Where a device is, and how it is reached from here. */
export interface DeliveryTarget {
  /** An IPv4 address, or a name that becomes one (`door.local`). */
  readonly host: string;
  /** Of the device; the way's own by default. */
  readonly port?: number | undefined;
  /** This machine's address that the device is to see; by default the one from which the route to it leaves. */
  readonly hostIp?: string | undefined;
  /** espota: this machine's TCP port that the device connects to; any free one by default. */
  readonly hostPort?: number | undefined;
  /** Web updater: `/update` by default. */
  readonly path?: string | undefined;
  /** Web updater: `admin` by default. */
  readonly user?: string | undefined;
}

export interface DeliveryOptions {
  readonly kind: ImageKind;
  /** In clear; it never appears in a verdict, nor in progress. */
  readonly password?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly timings?: Partial<DeliveryTimings> | undefined;
}

/** A way in which bytes come to a device. Adding one: a folder beside this file, and a line in ways.ts. */
export interface DeliveryWay {
  /** The port at which devices listen unless the sketch says otherwise. */
  readonly defaultPort: number;
  /**
   * Sends finished bytes to a device and says how that ended. All sockets are closed when it returns.
   *
   * @param artifact what the device gets, byte for byte: signed and compressed already, where it shall be
   * @throws the reason of `signal` when it aborts; OtaError USAGE when this machine cannot listen where it was told to
   */
  deliver(target: DeliveryTarget, artifact: Uint8Array, options: DeliveryOptions): Promise<Verdict>;
}
