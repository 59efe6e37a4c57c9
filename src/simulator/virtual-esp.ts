import type { FlashMode } from '../firmware/flash-header.ts';
import { ArduinoOta } from './arduino-ota.ts';
import { Board } from './board.ts';
import { type Build, buildAfterUpdate } from './build.ts';
import { EventStream, type SimulatorEvent } from './events.ts';
import type { Faults } from './faults.ts';
import { type Identity, identityOf } from './identity.ts';
import { startingPoint } from './initial-sketch.ts';
import { immediateLink, type LinkModel } from './link.ts';
import type { VirtualEspOptions } from './options.ts';
import { pause } from './pause.ts';
import { type Random, seededRandom } from './random.ts';
import type { Esp } from './services.ts';
import { SketchLoop } from './sketch-loop.ts';
import { deviceTimings, type Timings } from './timings.ts';
import { UdpPort } from './udp-port.ts';
import { WebServer } from './web-server.ts';
import { WebUpdater } from './web-updater.ts';

/** What a virtual device is at present. */
export interface VirtualEspState {
  readonly phase: 'running' | 'restarting' | 'bricked' | 'closed';
  /** What `ESP.getSketchMD5()` gives; of a bricked device, of what was there before. */
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
  readFlash(address: number, lengthBytes: number): Uint8Array;
  /** From the next upload on. */
  setFaults(faults: Faults): void;
  /** Closes all sockets and drops what is under way. */
  close(): Promise<void>;
}

let started = 0;

/**
 * Starts a virtual ESP8266: a chip, a sketch in it, and the network services of that sketch, each as the device code of the core behaves.
 *
 * @throws Error when a port that was asked for cannot be had
 */
export async function startVirtualEsp(options: VirtualEspOptions = {}): Promise<VirtualEsp> {
  const esp = new RunningEsp(options, identityOf({ mac: options.mac, number: ++started }));
  await esp.open();
  return esp;
}

class RunningEsp implements VirtualEsp, Esp {
  readonly board: Board;
  readonly host: string;
  readonly mac: string;
  readonly hostname: string;
  readonly link: LinkModel;
  readonly timings: Timings;
  readonly random: Random;
  readonly events = new EventStream();
  readonly #options: VirtualEspOptions;
  readonly #closing = new AbortController();
  #life = new AbortController();
  #loop = new SketchLoop();
  #phase: VirtualEspState['phase'] = 'restarting';
  #restarts = 0;
  #faults: Faults;
  #afflicted = 0;
  #damage: string | undefined;
  #bricked: string | undefined;
  #udp: UdpPort | undefined;
  #ota: ArduinoOta | undefined;
  #web: WebServer | undefined;
  #webUpdater: WebUpdater | undefined;

  constructor(options: VirtualEspOptions, identity: Identity) {
    const { build, chipSizeBytes, image, sketchSizeBytes } = startingPoint(options);
    this.#options = options;
    this.#faults = options.faults ?? {};
    this.board = new Board(chipSizeBytes, image, sketchSizeBytes, build);
    this.host = options.host ?? '127.0.0.1';
    this.mac = identity.mac;
    this.hostname = options.hostname ?? identity.hostname;
    this.link = { ...immediateLink, ...options.link };
    this.timings = { ...deviceTimings, ...options.timings };
    this.random = seededRandom(options.seed ?? identity.chipId);
  }

  async open(): Promise<void> {
    const { otaPort = 0, password, webPort, webPath = '/update', webLogin } = this.#options;
    const udpLink = { rttMs: this.link.rttMs, faults: this.#faults.udp ?? {}, random: this.random };
    this.#udp = await UdpPort.open(this.host, otaPort, udpLink, (datagram, from) => {
      if (this.isUp) this.#ota?.receive(datagram, from);
    });
    this.#ota = new ArduinoOta(this, this.#udp, password);
    if (webPort !== undefined) {
      this.#webUpdater = new WebUpdater(this, webPath, webLogin);
      this.#web = await WebServer.open(this, webPort, this.#webUpdater);
    }
    this.#phase = 'running';
    this.events.emit({ event: 'ready', mac: this.mac, otaPort: this.otaPort, webPort: this.webPort });
  }

  get otaPort(): number {
    return this.#udp?.port ?? 0;
  }

  get webPort(): number | undefined {
    return this.#web?.port;
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
    await this.#loop.run(this.life, task).catch((error: unknown) => this.#fail(error));
  }

  reportUpdate(transport: 'espota' | 'http' | 'web', error?: string): void {
    const verdict = error === undefined ? 'accepted' : 'rejected';
    this.events.emit({ event: 'update', mac: this.mac, transport, verdict, error: error ?? null });
  }

  restart(): void {
    this.#life.abort();
    this.#phase = 'restarting';
    this.#restarts++;
    this.#comeBack().catch((error: unknown) => this.#fail(error));
  }

  async close(): Promise<void> {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#closing.abort();
    this.#life.abort();
    await this.#closePorts();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** eboot, the sketch's setup, and then the services again, on the same ports. */
  async #comeBack(): Promise<void> {
    const outcome = this.board.restart((image, sketchMd5) => this.#nextBuild(image, sketchMd5));
    if (outcome.outcome === 'bricked') return this.#dieFor(outcome.why);
    this.#damage = outcome.outcome === 'damaged' ? outcome.why : undefined;
    await pause(this.timings.restartMs, this.closing);
    this.#life = new AbortController();
    this.#loop = new SketchLoop();
    this.#ota?.reset();
    this.#web?.reset();
    this.#webUpdater?.reset();
    this.#phase = 'running';
    this.events.emit({ event: 'boot', mac: this.mac, sketchMd5: this.board.sketchMd5 });
  }

  async #dieFor(why: string): Promise<void> {
    this.#phase = 'bricked';
    this.#bricked = why;
    await this.#closePorts();
    this.events.emit({ event: 'bricked', mac: this.mac, why });
  }

  #nextBuild(image: Uint8Array, sketchMd5: string): Build {
    const { next = {}, manifests = [] } = this.#options;
    const said = typeof next === 'function' ? next(image) : next;
    return buildAfterUpdate(this.board.build, image, sketchMd5, said, manifests);
  }

  async #closePorts(): Promise<void> {
    const [udp, web] = [this.#udp, this.#web];
    this.#udp = undefined;
    this.#web = undefined;
    await Promise.all([udp?.close(), web?.close()]);
  }

  #fail(error: unknown): void {
    if (this.closing.aborted) return;
    // Nobody awaits what goes on inside the device: a bug in it must not pass in silence.
    queueMicrotask(() => {
      throw error;
    });
  }
}
