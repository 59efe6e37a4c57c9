import { acknowledgedBytes } from './acknowledgements.ts';

/** What stands behind the acknowledgements, so far. */
export type LastWords =
  | { readonly kind: 'none' }
  | { readonly kind: 'ok' }
  /** `complete` once its line has ended. */
  | { readonly kind: 'error'; readonly text: string; readonly complete: boolean }
  /** The beginning of a word that could still become `OK`. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'foreign'; readonly text: string };

const mostTailCharacters = 4096;

/**
 * Reads what the device sends while it gets the image: digits that acknowledge, then `OK` or `ERROR[n]: text`, glued to the last digits
 * (`800ERROR[10]: Magic byte is not 0xE9`).
 */
export class ReplyReader {
  #acknowledgedBytes = 0;
  #hasAcknowledged = false;
  #tail = '';

  get acknowledgedBytes(): number {
    return this.#acknowledgedBytes;
  }

  /** @param sentBytes of the image so far: what is acknowledged cannot be more */
  feed(bytes: Uint8Array, sentBytes: number): void {
    const text = Buffer.from(bytes).toString('latin1');
    const digits = this.#tail === '' ? (/^\d+/.exec(text)?.[0] ?? '') : '';
    this.#hasAcknowledged ||= digits !== '';
    this.#acknowledgedBytes += acknowledgedBytes(digits, sentBytes - this.#acknowledgedBytes);
    this.#tail = (this.#tail + text.slice(digits.length)).slice(0, mostTailCharacters);
  }

  /** Both words have an `O`: so the error is looked for first. */
  get lastWords(): LastWords {
    const tail = this.#tail;
    if (tail === '') return { kind: 'none' };
    const errorAt = tail.indexOf('ERR');
    if (errorAt !== -1) {
      const text = tail.slice(errorAt);
      return { kind: 'error', text, complete: text.includes('\n') };
    }
    // A device that took anything has acknowledged it: an OK that comes first is none.
    if (tail.startsWith('OK') && this.#hasAcknowledged) return { kind: 'ok' };
    return 'O' === tail || 'ERR'.startsWith(tail) ? { kind: 'begun' } : { kind: 'foreign', text: tail };
  }
}
