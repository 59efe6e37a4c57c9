/** Time source for a link. Tests replace it. */
export interface Clock {
  /** Returns the time in milliseconds since an arbitrary start. */
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
