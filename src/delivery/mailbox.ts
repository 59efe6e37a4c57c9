/** Queue of messages from several event sources, read one at a time; waiting uses no CPU. */
export class Mailbox<Letter> {
  readonly #letters: Letter[] = [];
  #wake: () => void = () => undefined;

  put(letter: Letter): void {
    this.#letters.push(letter);
    this.#wake();
  }

  /** Removes queued messages that are no longer wanted. */
  drop(unwanted: (letter: Letter) => boolean): void {
    const kept = this.#letters.filter((letter) => !unwanted(letter));
    this.#letters.splice(0, this.#letters.length, ...kept);
  }

  /**
   * Returns the next message in order of arrival.
   *
   * @returns undefined if none arrived within `limitMs`
   * @throws the abort reason of the signal
   */
  async next(limitMs: number, signal: AbortSignal): Promise<Letter | undefined> {
    signal.throwIfAborted();
    if (this.#letters.length === 0 && limitMs > 0) await this.#letterOr(limitMs, signal);
    signal.throwIfAborted();
    return this.#letters.shift();
  }

  /**
   * Waits for a message or the time limit. Timers run before sockets are read, so sockets are read once more after the limit: data that had
   * arrived by then is still in time.
   */
  async #letterOr(limitMs: number, signal: AbortSignal): Promise<void> {
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
