/** Time on two clocks: the wall clock and a clock that cannot be set. */
export interface ServiceTime {
  /** Milliseconds since 1970 according to the system clock, which may jump. */
  readonly wallMs: number;
  /**
   * Total time that servers have run with this data, in milliseconds. Timeouts use this clock: devices cannot check in while no server is
   * running, and a change to the wall clock must not make attempts fail.
   */
  readonly servedMs: number;
}

export interface ServiceClock {
  now(): ServiceTime;
}

/**
 * Creates a clock.
 *
 * @param servedBeforeMs total time that earlier servers ran with this data
 */
export function serviceClock(servedBeforeMs: number): ServiceClock {
  const startedAt = performance.now();
  return {
    now: () => ({ wallMs: Date.now(), servedMs: servedBeforeMs + Math.floor(performance.now() - startedAt) }),
  };
}
