import type { Transport } from '../core/device-model/staging.ts';

/** Event emitted by a virtual device. */
export type SimulatorEvent = { readonly mac: string } & (
  | { readonly event: 'ready'; readonly otaPort: number; readonly webPort: number | undefined }
  /** `error` is the error message from the device, or null if it accepted the update. */
  | {
      readonly event: 'update';
      readonly transport: Transport;
      readonly verdict: 'accepted' | 'rejected';
      readonly error: string | null;
    }
  | { readonly event: 'boot'; readonly sketchMd5: string }
  | { readonly event: 'bricked'; readonly reason: string }
  /** The HTTP client completed an update check and found no update to install. */
  | { readonly event: 'checked'; readonly status: number }
);

const mostPast = 1000;

export type SimulatorListener = (event: SimulatorEvent) => void;

/** Emitter for the events of one device. It keeps a history and can wait for a single event. */
export class EventStream {
  readonly #listeners = new Set<SimulatorListener>();
  readonly #past: SimulatorEvent[] = [];
  readonly #closed: AbortSignal;

  /** @param closed signal that aborts when the device is closed */
  constructor(closed: AbortSignal) {
    this.#closed = closed;
  }

  emit(event: SimulatorEvent): void {
    this.#past.push(event);
    if (this.#past.length > mostPast) this.#past.shift();
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** The last 1000 events, oldest first. */
  get past(): readonly SimulatorEvent[] {
    return this.#past;
  }

  /** @returns a function that ends the subscription */
  on(listener: SimulatorListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits for the next event that `matches`. Earlier events are ignored.
   *
   * @throws Error after `timeoutMs` or when the device is closed; the message contains the last events that did not match
   */
  next<Wanted extends SimulatorEvent>(
    matches: (event: SimulatorEvent) => event is Wanted,
    timeoutMs: number,
  ): Promise<Wanted>;
  next(matches: (event: SimulatorEvent) => boolean, timeoutMs: number): Promise<SimulatorEvent>;
  next(matches: (event: SimulatorEvent) => boolean, timeoutMs: number): Promise<SimulatorEvent> {
    const others: SimulatorEvent[] = [];
    return new Promise((resolve, reject) => {
      const stop = () => {
        unsubscribe();
        clearTimeout(timer);
        this.#closed.removeEventListener('abort', onClose);
      };
      const fail = (why: string) => {
        stop();
        reject(new Error(`${why}; the last events were ${JSON.stringify(others.slice(-3))}`));
      };
      const onClose = () => fail('The virtual device was closed');
      const unsubscribe = this.on((event) => {
        if (!matches(event)) return void others.push(event);
        stop();
        resolve(event);
      });
      const timer = setTimeout(() => fail(`No matching event within ${timeoutMs} ms`), timeoutMs);
      this.#closed.addEventListener('abort', onClose);
      if (this.#closed.aborted) onClose();
    });
  }
}
