import { setMaxListeners } from 'node:events';
import type { Transport } from '../core/device-model/staging.ts';
import { buildAfterUpdate, type SimulatedBuild } from './build.ts';
import type { DeviceContext } from './device-context.ts';
import { DeviceFirmware } from './device-firmware.ts';
import { EventStream, type SimulatorEvent } from './events.ts';
import type { Faults } from './faults.ts';
import type { Identity } from './identity.ts';
import { initialState } from './initial-sketch.ts';
import { immediateLink, type LinkModel } from './link.ts';
import type { VirtualDeviceOptions } from './options.ts';
import { pauseExactly } from './pause.ts';
import { type Random, seededRandom } from './random.ts';
import { restartFault } from './restart-fault.ts';
import { SketchLoop } from './sketch-loop.ts';
import { openServices, type SketchServices } from './sketch-services.ts';
import { deviceTimings, type Timings } from './timings.ts';
import type { VirtualDevice, VirtualDeviceState } from './virtual-device.ts';

/** Virtual device: a `VirtualDevice` for callers and a `DeviceContext` for the services of the sketch. */
export class RunningDevice implements VirtualDevice, DeviceContext {
  readonly firmware: DeviceFirmware;
  readonly host: string;
  readonly mac: string;
  readonly hostname: string;
  readonly link: LinkModel;
  readonly timings: Timings;
  readonly random: Random;
  readonly #closeController = newController();
  readonly events = new EventStream(this.#closeController.signal);
  readonly #options: VirtualDeviceOptions;
  /** Constant from 0 to 1, derived from the seed. It determines which faulty updates affect the device. */
  readonly #faultDraw: number;
  #restartController = newController();
  #loop = new SketchLoop();
  #services: SketchServices | undefined;
  #phase: VirtualDeviceState['phase'] = 'restarting';
  #restarts = 0;
  #faults: Faults;
  #countedUploads = 0;
  #damage: string | undefined;
  #bricked: string | undefined;

  private constructor(options: VirtualDeviceOptions, identity: Identity) {
    const { build, chipSizeBytes, image, sketchSizeBytes } = initialState(options);
    this.#options = options;
    this.#faults = options.faults ?? {};
    this.firmware = new DeviceFirmware(chipSizeBytes, image, sketchSizeBytes, build);
    this.host = options.host ?? '127.0.0.1';
    this.mac = identity.mac;
    this.hostname = options.hostname ?? identity.hostname;
    this.link = { ...immediateLink, ...options.link };
    this.timings = { ...deviceTimings, ...options.timings };
    const seed = options.seed ?? identity.chipId;
    this.random = seededRandom(seed);
    this.#faultDraw = seededRandom(seed)();
  }

  static async start(options: VirtualDeviceOptions, identity: Identity): Promise<RunningDevice> {
    const device = new RunningDevice(options, identity);
    const services = await openServices(device, options, identity, device.hostname);
    device.#services = services;
    try {
      await services.start();
    } catch (error) {
      await device.close();
      throw error;
    }
    device.#phase = 'running';
    device.events.emit({ event: 'ready', mac: device.mac, otaPort: device.otaPort, webPort: device.webPort });
    return device;
  }

  get otaPort(): number {
    return this.#services?.otaPort ?? 0;
  }

  get webPort(): number | undefined {
    return this.#services?.webPort;
  }

  get restartSignal(): AbortSignal {
    return this.#restartController.signal;
  }

  get closeSignal(): AbortSignal {
    return this.#closeController.signal;
  }

  get isUp(): boolean {
    return this.#phase === 'running';
  }

  get state(): VirtualDeviceState {
    const { sketchMd5, sketchSizeBytes, flashMode, build } = this.firmware;
    return {
      phase: this.#phase,
      sketchMd5,
      sketchSizeBytes,
      keyFingerprint: build.publicKey?.fingerprint,
      core: build.core,
      flashMode,
      version: build.version,
      restarts: this.#restarts,
      damage: this.#damage,
      bricked: this.#bricked,
    };
  }

  nextEvent(matches: (event: SimulatorEvent) => boolean, timeoutMs: number): Promise<SimulatorEvent> {
    return this.events.next(matches, timeoutMs);
  }

  readFlash(address: number, lengthBytes: number): Uint8Array {
    return this.firmware.chip.read(address, lengthBytes);
  }

  setFaults(faults: Faults): void {
    this.#faults = faults;
    this.#countedUploads = 0;
  }

  get faults(): Faults {
    const { uploads = Number.POSITIVE_INFINITY } = this.#faults;
    return this.#countedUploads < uploads ? this.#faults : {};
  }

  countUpload(): void {
    this.#countedUploads++;
  }

  async inLoop(task: () => Promise<void>): Promise<void> {
    await this.#loop.run(this.restartSignal, task).catch((error: unknown) => this.fail(error));
  }

  reportUpdate(transport: Transport, error?: string): void {
    const verdict = error === undefined ? 'accepted' : 'rejected';
    this.events.emit({ event: 'update', mac: this.mac, transport, verdict, error: error ?? null });
  }

  reportCheck(status: number): void {
    this.events.emit({ event: 'checked', mac: this.mac, status });
  }

  powerCycle(): void {
    if (this.#phase === 'running') this.restart();
  }

  restart(): void {
    this.#restartController.abort();
    this.#phase = 'restarting';
    this.#restarts++;
    this.#boot().catch((error: unknown) => this.fail(error));
  }

  fail(error: unknown): void {
    if (this.closeSignal.aborted) return;
    // The error is thrown outside any promise, so that it becomes an uncaught exception.
    queueMicrotask(() => {
      throw error;
    });
  }

  async close(): Promise<void> {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#closeController.abort();
    this.#restartController.abort();
    await this.#services?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Runs eboot and the setup of the sketch, then restarts the services on the same ports. */
  async #boot(): Promise<void> {
    const fault = restartFault(this.firmware.pending, this.#faults, this.#faultDraw);
    if (fault === 'not-installed') this.firmware.dropPending();
    const outcome = this.firmware.restart((image, sketchMd5) => this.#nextBuild(image, sketchMd5));
    if (outcome.outcome === 'bricked') return this.#brick(outcome.why);
    if (fault === 'offline') return this.#brick('injected-fault');
    this.#damage = outcome.outcome === 'damaged' ? outcome.why : undefined;
    await pauseExactly(this.timings.restartMs, this.closeSignal);
    this.#restartController = newController();
    this.#loop = new SketchLoop();
    await this.#services?.start();
    this.closeSignal.throwIfAborted();
    this.#phase = 'running';
    this.events.emit({ event: 'boot', mac: this.mac, sketchMd5: this.firmware.sketchMd5 });
  }

  async #brick(why: string): Promise<void> {
    this.#phase = 'bricked';
    this.#bricked = why;
    await this.#services?.close();
    if (!this.closeSignal.aborted) this.events.emit({ event: 'bricked', mac: this.mac, reason: why });
  }

  #nextBuild(image: Uint8Array, sketchMd5: string): SimulatedBuild {
    const { next = {}, manifests = [] } = this.#options;
    const nextOptions = typeof next === 'function' ? next(image) : next;
    return buildAfterUpdate(this.firmware.build, image, sketchMd5, nextOptions, manifests);
  }
}

/** Returns a controller whose signal has no listener limit, because every connection and every wait adds a listener. */
function newController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
