/** The time that a link goes by; its tests have a clock of their own. */
export interface Clock {
  /** In milliseconds, from any beginning. */
  now(): number;
  /** @returns a function that cancels the action */
  after(delayMs: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
