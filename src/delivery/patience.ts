/** The time that one upload may spend on waiting in which nothing moves. What moves costs nothing. */
export class Patience {
  #leftMs: number;

  constructor(totalMs: number) {
    this.#leftMs = totalMs;
  }

  get isOver(): boolean {
    return this.#leftMs <= 0;
  }

  /** A limit for one wait: the time that it would have by itself, or what is left. */
  limit(ms: number): number {
    return Math.max(0, Math.min(ms, this.#leftMs));
  }

  spend(ms: number): void {
    this.#leftMs -= ms;
  }

  /** Does work that is all waiting, and takes its time off. */
  async spendDuring<Result>(work: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      this.spend(performance.now() - startedAt);
    }
  }
}
