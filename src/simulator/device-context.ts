import type { Transport } from '../core/device-model/staging.ts';
import type { DeviceFirmware } from './device-firmware.ts';
import type { Faults } from './faults.ts';
import type { LinkModel } from './link.ts';
import type { Random } from './random.ts';
import type { Timings } from './timings.ts';

/** Device interface for the sketch's services: ArduinoOTA, the web updater and the HTTP client. */
export interface DeviceContext {
  readonly firmware: DeviceFirmware;
  readonly host: string;
  readonly mac: string;
  readonly link: LinkModel;
  readonly timings: Timings;
  readonly random: Random;
  /** Signal that aborts when the device restarts or is closed. Each boot has its own. */
  readonly restartSignal: AbortSignal;
  /** Signal that aborts when the virtual device is closed. */
  readonly closeSignal: AbortSignal;
  /** False while the device restarts, and permanently when it is bricked or closed. */
  readonly isUp: boolean;
  /** Faults that affect the current upload. */
  readonly faults: Faults;
  /** Counts an upload toward the number of uploads that the faults affect. */
  countUpload(): void;
  /** Runs a task in the sketch's `loop()`, after the tasks queued before it. */
  inLoop(task: () => Promise<void>): Promise<void>;
  /** @param error error message from the device; undefined if it accepted the update */
  reportUpdate(transport: Transport, error?: string): void;
  /** Reports an update check that found no update to install. */
  reportCheck(status: number): void;
  /** Reports an unexpected error as an uncaught exception, because no caller awaits the device's tasks. */
  fail(error: unknown): void;
  /** Cancels everything in progress and restarts the device. */
  restart(): void;
}
