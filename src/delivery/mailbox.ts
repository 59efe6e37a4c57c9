/** What several sockets have to say, taken one at a time; waiting costs no CPU. */
export class Mailbox<Letter> {
  readonly #letters: Letter[] = [];
  #wake: () => void = () => undefined;

  put(letter: Letter): void {
    this.#letters.push(letter);
    this.#wake();
  }

  /** Throws away what has come and is not wanted any more. */
  drop(unwanted: (letter: Letter) => boolean): void {
    const kept = this.#letters.filter((letter) => !unwanted(letter));
    this.#letters.splice(0, this.#letters.length, ...kept);
  }

  /**
   * The next letter, in the order in which they came.
   *
   * @returns undefined when none came within `limitMs`
   * @throws the reason of the signal, when it aborts
   */
  async next(limitMs: number, signal: AbortSignal): Promise<Letter | undefined> {
    signal.throwIfAborted();
    if (this.#letters.length === 0 && limitMs > 0) await this.#letterOr(limitMs, signal);
    signal.throwIfAborted();
    return this.#letters.shift();
  }

  /** Timers run before sockets are read: what has arrived by the end of the time is read first, and is in time. */
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
