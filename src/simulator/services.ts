import type { Transport } from '../core/device-model/staging.ts';
import type { Board } from './board.ts';
import type { Faults } from './faults.ts';
import type { LinkModel } from './link.ts';
import type { Random } from './random.ts';
import type { Timings } from './timings.ts';

/** What ArduinoOTA, the web updater and the HTTP client have of the device that they are part of. */
export interface Esp {
  readonly board: Board;
  readonly host: string;
  readonly mac: string;
  readonly link: LinkModel;
  readonly timings: Timings;
  readonly random: Random;
  /** Of the present life, from boot to restart: aborts when the device restarts or is closed. */
  readonly life: AbortSignal;
  /** Aborts when the virtual device is closed for good. */
  readonly closing: AbortSignal;
  /** False while it restarts, and for ever when it is bricked. */
  readonly isUp: boolean;
  /** What goes wrong with the present upload. */
  readonly faults: Faults;
  /** Counts an upload that meets the faults. */
  countUpload(): void;
  /** Runs a task in the sketch's `loop()`, behind those that are under way. */
  inLoop(task: () => Promise<void>): Promise<void>;
  /** @param error the device's words; undefined when it accepted */
  reportUpdate(transport: Transport, error?: string): void;
  /** The HTTP client asked, and there was nothing to do. */
  reportCheck(status: number): void;
  /** What is a bug, since nobody awaits what goes on inside the device. */
  fail(error: unknown): void;
  /** Ends the present life; what goes on in it is dropped. */
  restart(): void;
}
