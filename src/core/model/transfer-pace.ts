/** Limits on the duration of a transfer. Times in milliseconds. */
export interface TransferLimits {
  /** Time limit of every transfer, in addition to the time for its bytes at 2 KB/s. */
  readonly graceMs: number;
  /** Time without any bytes after which a transfer is too slow. A transfer below 2 KB/s is too slow once it is this far behind. */
  readonly windowMs: number;
}

/**
 * The minimum rate is lower than that of any Wi-Fi connection that can deliver an image. A transfer from a peer that sends almost nothing
 * ends within a minute.
 */
export const defaultTransferLimits: TransferLimits = { graceMs: 60_000, windowMs: 30_000 };

const leastBytesPerMs = 2048 / 1000;

/**
 * Decides whether a transfer is too slow. Without an absolute limit, a peer that sends an occasional byte could keep a command waiting
 * forever. The caller passes all times, from any monotonic clock.
 */
export class TransferPace {
  readonly #limits: TransferLimits;
  readonly #startedAtMs: number;
  #expectedBytes: number;
  #movedBytes = 0;
  /** Time at which the transfer becomes too slow unless bytes move before then. Undefined while no bytes are due. */
  #dueAtMs: number | undefined;

  /** @param expectedBytes bytes that are known to be sent; received bytes extend the limit when they arrive */
  constructor(limits: TransferLimits, startedAtMs: number, expectedBytes: number) {
    this.#limits = limits;
    this.#startedAtMs = startedAtMs;
    this.#expectedBytes = expectedBytes;
  }

  /** Expects bytes from now on. */
  expectBytes(nowMs: number): void {
    this.#dueAtMs ??= nowMs + this.#limits.windowMs;
  }

  /** Allows the peer to be silent from now on, for example while it processes the received bytes. */
  expectSilence(): void {
    this.#dueAtMs = undefined;
  }

  /**
   * Counts bytes that were sent or received. Each byte adds its time at 2 KB/s, up to a whole window. The system reports sent bytes in
   * large steps on a slow connection, so a limit for each window would also end transfers that reach 2 KB/s on average.
   */
  moved(bytes: number, nowMs: number): void {
    this.#movedBytes += bytes;
    this.#expectedBytes = Math.max(this.#expectedBytes, this.#movedBytes);
    if (this.#dueAtMs === undefined) return;
    this.#dueAtMs = Math.min(this.#dueAtMs + bytes / leastBytesPerMs, nowMs + this.#limits.windowMs);
  }

  /** Returns the reason to end the transfer; undefined if it may continue. */
  fault(nowMs: number): string | undefined {
    if (nowMs >= this.#deadlineMs) return `not complete after ${seconds(nowMs - this.#startedAtMs)}`;
    if (nowMs >= (this.#dueAtMs ?? Infinity)) return `less than 2 KB/s for at least ${seconds(this.#limits.windowMs)}`;
    return undefined;
  }

  /** Returns the time until {@link fault} returns a fault if no bytes move. */
  leftMs(nowMs: number): number {
    return Math.max(0, Math.min(this.#deadlineMs, this.#dueAtMs ?? Infinity) - nowMs);
  }

  get #deadlineMs(): number {
    return this.#startedAtMs + this.#limits.graceMs + this.#expectedBytes / leastBytesPerMs;
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
