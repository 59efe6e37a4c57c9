/** Time on two clocks: the wall clock, and one that cannot be set. */
export interface ServiceTime {
  /** Milliseconds since 1970 by the clock of the machine, which may jump. */
  readonly wallMs: number;
  /**
   * Total time that servers have run on this data, in milliseconds. Timeouts use it: devices cannot come back while no server runs, and
   * setting the wall clock must not make devices fail.
   */
  readonly servedMs: number;
}

export interface ServiceClock {
  now(): ServiceTime;
}

/**
 * Creates a clock.
 *
 * @param servedBeforeMs total time that earlier servers have run on this data
 */
export function serviceClock(servedBeforeMs: number): ServiceClock {
  const startedAt = performance.now();
  return {
    now: () => ({ wallMs: Date.now(), servedMs: servedBeforeMs + Math.floor(performance.now() - startedAt) }),
  };
}
