/// <reference lib="esnext.disposable" preserve="true" />
import type { FlashMode } from '../core/model/artifact.ts';
import type { EventStream, SimulatorEvent } from './events.ts';
import type { Faults } from './faults.ts';

/** Current state of a virtual device. */
export interface VirtualDeviceState {
  readonly phase: 'running' | 'restarting' | 'bricked' | 'closed';
  /** Return value of `ESP.getSketchMD5()`; for a bricked device, computed over the current flash content. */
  readonly sketchMd5: string;
  readonly sketchSizeBytes: number;
  /** Fingerprint of the key whose signatures the running sketch requires. Undefined: no signature check. */
  readonly keyFingerprint: string | undefined;
  readonly core: string;
  readonly flashMode: FlashMode;
  readonly version: string;
  /** Number of restarts since the virtual device was started. */
  readonly restarts: number;
  /** Damage that the last update caused, such as `filesystem-overwritten`. */
  readonly damage: string | undefined;
  /** Why the device no longer starts. Undefined unless it is bricked. */
  readonly bricked: string | undefined;
}

/** A running virtual ESP8266. */
export interface VirtualDevice extends AsyncDisposable {
  readonly host: string;
  readonly otaPort: number;
  readonly webPort: number | undefined;
  readonly mac: string;
  readonly hostname: string;
  readonly state: VirtualDeviceState;
  readonly events: EventStream;
  /** Waits for the next matching event; earlier events are ignored. Rejects after `timeoutMs`. */
  nextEvent(matches: (event: SimulatorEvent) => boolean, timeoutMs: number): Promise<SimulatorEvent>;
  /** Returns a copy of the flash content. Any part of the range beyond the end of the chip is omitted. */
  readFlash(address: number, lengthBytes: number): Uint8Array;
  /** Sets the faults for the next and later uploads. UDP faults stay as they were at startup. */
  setFaults(faults: Faults): void;
  /** Turns the device off and on again, which cancels everything in progress. A bricked device stays bricked. */
  powerCycle(): void;
  /** Closes all sockets and cancels everything in progress. */
  close(): Promise<void>;
}
