import { acknowledgedBytes } from './acknowledgments.ts';

/** Text received after the acknowledgments. */
export type FinalReply =
  | { readonly kind: 'none' }
  | { readonly kind: 'ok' }
  /** `complete`: the whole line has been received. */
  | { readonly kind: 'error'; readonly text: string; readonly complete: boolean }
  /** Incomplete text that may still become `OK` or `ERROR`. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'foreign'; readonly text: string };

const mostTailCharacters = 4096;

/**
 * Parses the data that a device sends during a transfer. The data consists of digits that acknowledge bytes, followed by `OK` or
 * `ERROR[n]: text` without a separator (`800ERROR[10]: Magic byte is not 0xE9`).
 */
export class ReplyReader {
  #acknowledgedBytes = 0;
  #hasAcknowledged = false;
  #tail = '';

  get acknowledgedBytes(): number {
    return this.#acknowledgedBytes;
  }

  /**
   * Parses additional bytes.
   *
   * @param sentBytes number of image bytes sent; the upper limit for acknowledgments
   */
  feed(bytes: Uint8Array, sentBytes: number): void {
    const text = Buffer.from(bytes).toString('latin1');
    const digits = this.#tail === '' ? (/^\d+/.exec(text)?.[0] ?? '') : '';
    this.#hasAcknowledged ||= digits !== '';
    this.#acknowledgedBytes += acknowledgedBytes(digits, sentBytes - this.#acknowledgedBytes);
    this.#tail = (this.#tail + text.slice(digits.length)).slice(0, mostTailCharacters);
  }

  /** Returns the result after the acknowledgments. `ERR` overrides `OK`. */
  get finalReply(): FinalReply {
    const tail = this.#tail;
    if (tail === '') return { kind: 'none' };
    const errorAt = tail.indexOf('ERR');
    if (errorAt !== -1) {
      const text = tail.slice(errorAt);
      return { kind: 'error', text, complete: text.includes('\n') };
    }
    // A device acknowledges data before it sends its result, so an `OK` without an acknowledgment is invalid.
    if (tail.startsWith('OK') && this.#hasAcknowledged) return { kind: 'ok' };
    return 'O' === tail || 'ERR'.startsWith(tail) ? { kind: 'begun' } : { kind: 'foreign', text: tail };
  }
}
