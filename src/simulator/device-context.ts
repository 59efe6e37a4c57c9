import type { Transport } from '../core/device-model/staging.ts';
import type { DeviceFirmware } from './device-firmware.ts';
import type { Faults } from './faults.ts';
import type { LinkModel } from './link.ts';
import type { Random } from './random.ts';
import type { Timings } from './timings.ts';

/** Interface of a device for the services of its sketch: ArduinoOTA, the web updater and the HTTP client. */
export interface DeviceContext {
  readonly firmware: DeviceFirmware;
  readonly host: string;
  readonly mac: string;
  readonly link: LinkModel;
  readonly timings: Timings;
  readonly random: Random;
  /** Signal that aborts when the device restarts or is closed. Each boot has a separate signal. */
  readonly restartSignal: AbortSignal;
  /** Signal that aborts when the virtual device is closed. */
  readonly closeSignal: AbortSignal;
  /** True if the device is running. False while the device restarts, and after it has been bricked or closed. */
  readonly isUp: boolean;
  /** Faults that apply to the current upload. */
  readonly faults: Faults;
  /** Counts an upload toward the number of uploads with faults. */
  countUpload(): void;
  /** Runs a task in the sketch's `loop()`, after all tasks in the queue. */
  inLoop(task: () => Promise<void>): Promise<void>;
  /**
   * Reports the end of an update.
   *
   * @param error error message from the device; undefined if the device accepted the update
   */
  reportUpdate(transport: Transport, error?: string): void;
  /** Reports an update check that found no update to install. */
  reportCheck(status: number): void;
  /** Reports an unexpected error as an uncaught exception, because no caller awaits the device's tasks. */
  fail(error: unknown): void;
  /** Cancels all tasks in progress and restarts the device. */
  restart(): void;
}
