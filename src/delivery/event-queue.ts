/** Queue that merges events from several sources and returns them one at a time. Waiting for an event uses no CPU time. */
export class EventQueue<Item> {
  readonly #items: Item[] = [];
  #wake: () => void = () => undefined;

  put(item: Item): void {
    this.#items.push(item);
    this.#wake();
  }

  /** Removes queued events that are no longer needed. */
  drop(unwanted: (item: Item) => boolean): void {
    const kept = this.#items.filter((item) => !unwanted(item));
    this.#items.splice(0, this.#items.length, ...kept);
  }

  /**
   * Returns the next event in order of arrival.
   *
   * @returns undefined if no event arrives within `limitMs`
   * @throws the signal's abort reason
   */
  async next(limitMs: number, signal: AbortSignal): Promise<Item | undefined> {
    signal.throwIfAborted();
    if (this.#items.length === 0 && limitMs > 0) await this.#wait(limitMs, signal);
    signal.throwIfAborted();
    return this.#items.shift();
  }

  /**
   * Waits for an event or the time limit. After the limit, sockets are read once more: Node.js runs timers before it reads sockets, and
   * data that has already arrived counts as received in time.
   */
  async #wait(limitMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      let lastCall: NodeJS.Immediate | undefined;
      const done = () => {
        clearTimeout(timer);
        clearImmediate(lastCall);
        signal.removeEventListener('abort', done);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(() => {
        lastCall = setImmediate(done);
      }, Math.ceil(limitMs));
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}
