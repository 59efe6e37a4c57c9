/** Maximum time that one upload may wait without progress. Time with progress does not count. */
export class RetryBudget {
  #leftMs: number;

  constructor(totalMs: number) {
    this.#leftMs = totalMs;
  }

  get isOver(): boolean {
    return this.#leftMs <= 0;
  }

  /** Returns the time limit for one wait: `ms`, but at most the remaining budget. */
  limit(ms: number): number {
    return Math.max(0, Math.min(ms, this.#leftMs));
  }

  spend(ms: number): void {
    this.#leftMs -= ms;
  }

  /** Runs work without progress, such as a wait, and subtracts its duration from the budget. */
  async spendDuring<Result>(work: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      this.spend(performance.now() - startedAt);
    }
  }
}
