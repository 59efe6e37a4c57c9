/** Progress of a delivery. */
export interface Progress {
  readonly phase: 'inviting' | 'authenticating' | 'awaitingCallBack' | 'sending' | 'awaitingVerdict';
  /** Number of the attempt. The first attempt is 1. */
  readonly attempt: number;
  /**
   * Number of image bytes received by the device. espota: an estimate, because acknowledgments have no separators. Web updater: the
   * number of bytes sent, because the protocol has no acknowledgments.
   */
  readonly transferredBytes: number;
  readonly totalBytes: number;
}

export type ProgressListener = (progress: Progress) => void;

/** Reports the progress of one delivery to a listener whenever it changes. */
export class ProgressReport {
  readonly #totalBytes: number;
  readonly #listener: ProgressListener | undefined;
  #last: Progress;

  constructor(totalBytes: number, listener: ProgressListener | undefined) {
    this.#totalBytes = totalBytes;
    this.#listener = listener;
    this.#last = { phase: 'inviting', attempt: 0, transferredBytes: 0, totalBytes };
  }

  /** Starts the next attempt with 0 bytes sent. */
  begin(): void {
    this.#report({
      phase: 'inviting',
      attempt: this.#last.attempt + 1,
      transferredBytes: 0,
      totalBytes: this.#totalBytes,
    });
  }

  phase(phase: Progress['phase']): void {
    if (phase !== this.#last.phase) this.#report({ ...this.#last, phase });
  }

  /** Sets the number of image bytes, which is negative while a request's own header is sent. */
  transferred(bytes: number): void {
    const transferredBytes = Math.max(0, Math.min(bytes, this.#totalBytes));
    if (transferredBytes !== this.#last.transferredBytes) this.#report({ ...this.#last, transferredBytes });
  }

  #report(progress: Progress): void {
    this.#last = progress;
    this.#listener?.(progress);
  }
}
