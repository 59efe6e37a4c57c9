/** Where a delivery is. */
export interface Progress {
  readonly phase: 'inviting' | 'authenticating' | 'awaitingCallBack' | 'sending' | 'awaitingVerdict';
  /** Which of the attempts this is, from 1. */
  readonly attempt: number;
  /**
   * How much of the image the device has taken. espota: what it acknowledged, as far as its acknowledgements can be told apart. Web
   * updater: what has left this process, since that protocol acknowledges nothing.
   */
  readonly takenBytes: number;
  readonly totalBytes: number;
}

export type ProgressListener = (progress: Progress) => void;

/** The progress of one delivery: what stays the same is said once. */
export class ProgressReport {
  readonly #totalBytes: number;
  readonly #listener: ProgressListener | undefined;
  #last: Progress;

  constructor(totalBytes: number, listener: ProgressListener | undefined) {
    this.#totalBytes = totalBytes;
    this.#listener = listener;
    this.#last = { phase: 'inviting', attempt: 0, takenBytes: 0, totalBytes };
  }

  /** A new attempt starts from nothing. */
  begin(): void {
    this.#tell({ phase: 'inviting', attempt: this.#last.attempt + 1, takenBytes: 0, totalBytes: this.#totalBytes });
  }

  phase(phase: Progress['phase']): void {
    if (phase !== this.#last.phase) this.#tell({ ...this.#last, phase });
  }

  taken(bytes: number): void {
    const takenBytes = Math.min(bytes, this.#totalBytes);
    if (takenBytes !== this.#last.takenBytes) this.#tell({ ...this.#last, takenBytes });
  }

  #tell(progress: Progress): void {
    this.#last = progress;
    this.#listener?.(progress);
  }
}
