import { setMaxListeners } from 'node:events';
import type { Transport } from '../core/device-model/staging.ts';
import { Board } from './board.ts';
import { buildAfterUpdate, type SimulatedBuild } from './build.ts';
import { EventStream, type SimulatorEvent } from './events.ts';
import { fateOf } from './fate.ts';
import type { Faults } from './faults.ts';
import type { Identity } from './identity.ts';
import { startingPoint } from './initial-sketch.ts';
import { immediateLink, type LinkModel } from './link.ts';
import type { VirtualEspOptions } from './options.ts';
import { pauseExactly } from './pause.ts';
import { type Random, seededRandom } from './random.ts';
import type { Esp } from './services.ts';
import { SketchLoop } from './sketch-loop.ts';
import { openServices, type SketchServices } from './sketch-services.ts';
import { deviceTimings, type Timings } from './timings.ts';
import type { VirtualEsp, VirtualEspState } from './virtual-esp-api.ts';

/** A virtual device: a `VirtualEsp` for callers and an `Esp` for the services of its sketch. A life is the time from boot to restart. */
export class RunningEsp implements VirtualEsp, Esp {
  readonly board: Board;
  readonly host: string;
  readonly mac: string;
  readonly hostname: string;
  readonly link: LinkModel;
  readonly timings: Timings;
  readonly random: Random;
  readonly #closing = newSpan();
  readonly events = new EventStream(this.#closing.signal);
  readonly #options: VirtualEspOptions;
  /** From 0 to 1, derived from the seed and constant; decides which bad updates affect this device. */
  readonly #luck: number;
  #life = newSpan();
  #loop = new SketchLoop();
  #services: SketchServices | undefined;
  #phase: VirtualEspState['phase'] = 'restarting';
  #restarts = 0;
  #faults: Faults;
  #afflicted = 0;
  #damage: string | undefined;
  #bricked: string | undefined;

  private constructor(options: VirtualEspOptions, identity: Identity) {
    const { build, chipSizeBytes, image, sketchSizeBytes } = startingPoint(options);
    this.#options = options;
    this.#faults = options.faults ?? {};
    this.board = new Board(chipSizeBytes, image, sketchSizeBytes, build);
    this.host = options.host ?? '127.0.0.1';
    this.mac = identity.mac;
    this.hostname = options.hostname ?? identity.hostname;
    this.link = { ...immediateLink, ...options.link };
    this.timings = { ...deviceTimings, ...options.timings };
    const seed = options.seed ?? identity.chipId;
    this.random = seededRandom(seed);
    this.#luck = seededRandom(seed)();
  }

  static async start(options: VirtualEspOptions, identity: Identity): Promise<RunningEsp> {
    const esp = new RunningEsp(options, identity);
    const services = await openServices(esp, options, identity, esp.hostname);
    esp.#services = services;
    try {
      await services.start();
    } catch (error) {
      await esp.close();
      throw error;
    }
    esp.#phase = 'running';
    esp.events.emit({ event: 'ready', mac: esp.mac, otaPort: esp.otaPort, webPort: esp.webPort });
    return esp;
  }

  get otaPort(): number {
    return this.#services?.otaPort ?? 0;
  }

  get webPort(): number | undefined {
    return this.#services?.webPort;
  }

  get life(): AbortSignal {
    return this.#life.signal;
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get isUp(): boolean {
    return this.#phase === 'running';
  }

  get state(): VirtualEspState {
    const { sketchMd5, sketchSizeBytes, flashMode, build } = this.board;
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
    return this.board.chip.read(address, lengthBytes);
  }

  setFaults(faults: Faults): void {
    this.#faults = faults;
    this.#afflicted = 0;
  }

  get faults(): Faults {
    const { uploads = Number.POSITIVE_INFINITY } = this.#faults;
    return this.#afflicted < uploads ? this.#faults : {};
  }

  countUpload(): void {
    this.#afflicted++;
  }

  async inLoop(task: () => Promise<void>): Promise<void> {
    await this.#loop.run(this.life, task).catch((error: unknown) => this.fail(error));
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
    this.#life.abort();
    this.#phase = 'restarting';
    this.#restarts++;
    this.#comeBack().catch((error: unknown) => this.fail(error));
  }

  fail(error: unknown): void {
    if (this.closing.aborted) return;
    // Thrown outside any promise, so that it becomes an uncaught exception.
    queueMicrotask(() => {
      throw error;
    });
  }

  async close(): Promise<void> {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#closing.abort();
    this.#life.abort();
    await this.#services?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Runs eboot and the setup of the sketch, then starts the services again on the same ports. */
  async #comeBack(): Promise<void> {
    const fate = fateOf(this.board.arriving, this.#faults, this.#luck);
    if (fate === 'fall-back') this.board.forgetArriving();
    const outcome = this.board.restart((image, sketchMd5) => this.#nextBuild(image, sketchMd5));
    if (outcome.outcome === 'bricked') return this.#dieFor(outcome.why);
    if (fate === 'vanish') return this.#dieFor('vanished');
    this.#damage = outcome.outcome === 'damaged' ? outcome.why : undefined;
    await pauseExactly(this.timings.restartMs, this.closing);
    this.#life = newSpan();
    this.#loop = new SketchLoop();
    await this.#services?.start();
    this.closing.throwIfAborted();
    this.#phase = 'running';
    this.events.emit({ event: 'boot', mac: this.mac, sketchMd5: this.board.sketchMd5 });
  }

  async #dieFor(why: string): Promise<void> {
    this.#phase = 'bricked';
    this.#bricked = why;
    await this.#services?.close();
    if (!this.closing.aborted) this.events.emit({ event: 'bricked', mac: this.mac, why });
  }

  #nextBuild(image: Uint8Array, sketchMd5: string): SimulatedBuild {
    const { next = {}, manifests = [] } = this.#options;
    const said = typeof next === 'function' ? next(image) : next;
    return buildAfterUpdate(this.board.build, image, sketchMd5, said, manifests);
  }
}

/** Returns a controller whose signal accepts any number of listeners, because every connection and wait adds one. */
function newSpan(): AbortController {
  const span = new AbortController();
  setMaxListeners(0, span.signal);
  return span;
}
