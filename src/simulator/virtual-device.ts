/// <reference lib="esnext.disposable" preserve="true" />
import type { FlashMode } from '../core/model/artifact.ts';
import type { EventStream, SimulatorEvent } from './events.ts';
import type { Faults } from './faults.ts';

/** Current state of a virtual device. */
export interface VirtualDeviceState {
  readonly phase: 'running' | 'restarting' | 'bricked' | 'closed';
  /** MD5 of the running sketch (`ESP.getSketchMD5()`). For a bricked device, the MD5 is computed from the current flash content. */
  readonly sketchMd5: string;
  readonly sketchSizeBytes: number;
  /** Fingerprint of the key that the running sketch verifies signatures with. Undefined: signatures are not checked. */
  readonly keyFingerprint: string | undefined;
  readonly core: string;
  readonly flashMode: FlashMode;
  readonly version: string;
  /** Number of restarts since the virtual device started. */
  readonly restarts: number;
  /** Damage that the last update caused, such as `filesystem-overwritten`. */
  readonly damage: string | undefined;
  /** Reason why the device no longer starts. Undefined unless the device is bricked. */
  readonly bricked: string | undefined;
}

/** Running virtual ESP8266. */
export interface VirtualDevice extends AsyncDisposable {
  readonly host: string;
  readonly otaPort: number;
  readonly webPort: number | undefined;
  readonly mac: string;
  readonly hostname: string;
  readonly state: VirtualDeviceState;
  readonly events: EventStream;
  /** Waits for the next matching event. Earlier events are ignored. Rejects after `timeoutMs`. */
  nextEvent(matches: (event: SimulatorEvent) => boolean, timeoutMs: number): Promise<SimulatorEvent>;
  /** Returns a copy of the flash content. Parts of the range beyond the end of the chip are omitted. */
  readFlash(address: number, lengthBytes: number): Uint8Array;
  /** Sets the faults for the next and later uploads. UDP faults do not change after startup. */
  setFaults(faults: Faults): void;
  /** Turns the device off and on again, which cancels all tasks in progress. A bricked device stays bricked. */
  powerCycle(): void;
  /** Closes all sockets and cancels all tasks in progress. */
  close(): Promise<void>;
}
