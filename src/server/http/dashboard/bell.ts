/**
 * Calls `run` after `ms` milliseconds.
 *
 * @returns a function that cancels the call
 */
export type Schedule = (ms: number, run: () => void) => () => void;

export const scheduleTimer: Schedule = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** Signal for one waiting function. Several rings before a wait wake the function only once. */
export class Bell {
  isEnded = false;
  readonly #schedule: Schedule;
  #rang = false;
  #wake: () => void = () => undefined;

  constructor(schedule: Schedule = scheduleTimer) {
    this.#schedule = schedule;
  }

  ring(): void {
    this.#rang = true;
    this.#wake();
  }

  end(): void {
    this.isEnded = true;
    this.#wake();
  }

  /**
   * Waits up to `mostMs` milliseconds for a ring.
   *
   * @returns whether the bell has rung since the last call
   */
  async wait(mostMs: number): Promise<boolean> {
    if (!this.#rang && !this.isEnded) {
      const cancel = this.#schedule(mostMs, () => this.#wake());
      await this.#woken();
      cancel();
    }
    const rang = this.#rang;
    this.#rang = false;
    return rang;
  }

  /** Waits for the full `ms` milliseconds unless the bell is ended. A ring during this time is kept for the next `wait`. */
  async pause(ms: number): Promise<void> {
    let isOver = false;
    const cancel = this.#schedule(ms, () => {
      isOver = true;
      this.#wake();
    });
    while (!this.isEnded && !isOver) await this.#woken();
    cancel();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
