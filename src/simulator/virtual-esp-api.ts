/// <reference lib="esnext.disposable" preserve="true" />
import type { FlashMode } from '../core/model/artifact.ts';
import type { EventStream, SimulatorEvent } from './events.ts';
import type { Faults } from './faults.ts';

/** What a virtual device is at present. */
export interface VirtualEspState {
  readonly phase: 'running' | 'restarting' | 'bricked' | 'closed';
  /** What `ESP.getSketchMD5()` gives; of a bricked device, of what lies in its flash now. */
  readonly sketchMd5: string;
  readonly sketchSizeBytes: number;
  /** Of the key whose signatures the running sketch wants. */
  readonly keyFingerprint: string | undefined;
  readonly core: string;
  readonly flashMode: FlashMode;
  readonly version: string;
  /** Restarts since it was started. */
  readonly restarts: number;
  /** What the last update destroyed besides, such as `filesystem-overwritten`. */
  readonly damage: string | undefined;
  /** Why it does not come back. */
  readonly bricked: string | undefined;
}

/** A virtual ESP8266 that runs. */
export interface VirtualEsp extends AsyncDisposable {
  readonly host: string;
  readonly otaPort: number;
  readonly webPort: number | undefined;
  readonly mac: string;
  readonly hostname: string;
  readonly state: VirtualEspState;
  readonly events: EventStream;
  /** The next event that matches, from now on; rejects after `timeoutMs`. */
  nextEvent(matches: (event: SimulatorEvent) => boolean, timeoutMs: number): Promise<SimulatorEvent>;
  /** A copy; what lies beyond the chip is left out. */
  readFlash(address: number, lengthBytes: number): Uint8Array;
  /** From the next upload on; those of UDP stay as they were when it was started. */
  setFaults(faults: Faults): void;
  /** Switches it off and on again: what was under way is lost. A bricked device stays so. */
  powerCycle(): void;
  /** Closes all sockets and drops what is under way. */
  close(): Promise<void>;
}
