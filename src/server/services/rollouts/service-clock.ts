/** Two clocks: one for people, and one that nobody sets. */
export interface ServiceTime {
  /** Milliseconds since 1970, as the machine has it. It may jump. */
  readonly wallMs: number;
  /**
   * How long servers have run on this data. Time-outs are counted in it: while no server runs no device can come back, and a clock that
   * is set must not make devices fail.
   */
  readonly servedMs: number;
}

export interface ServiceClock {
  now(): ServiceTime;
}

/** @param servedBeforeMs what earlier servers of this data have come to */
export function serviceClock(servedBeforeMs: number): ServiceClock {
  const startedAt = performance.now();
  return {
    now: () => ({ wallMs: Date.now(), servedMs: servedBeforeMs + Math.floor(performance.now() - startedAt) }),
  };
}
