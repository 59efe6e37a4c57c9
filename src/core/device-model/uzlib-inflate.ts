import {
  fixedDistances,
  fixedLiterals,
  type HuffmanCode,
  huffmanCode,
  longestCode,
  lookupBits,
  lookupMask,
} from './uzlib-huffman.ts';
import { type ReadBlock, UzlibInput } from './uzlib-input.ts';

/** Result of inflating. more: the output is full. done: the last deflate block has ended. broken: `TINF_DATA_ERROR`. */
export type InflateResult = 'more' | 'done' | 'broken';

const windowBytes = 32768;
const windowMask = windowBytes - 1;

const lengthBase = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const distanceExtra = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Maximum size of a gzip header, in blocks of 4 KB: 16 MB, the size of the largest flash chip. */
const maxHeaderBlocks = 4096;

const endOfBlock = 256;
const noSymbol = -1;

/**
 * Inflates gzip like uzlib in eboot (pfalcon/uzlib: tinfgzip.c, tinflate.c): reads each input byte only when needed, keeps a 32 KB ring
 * buffer, and verifies neither the CRC nor the size. Like uzlib, this class cannot detect the end of its input and decodes any bytes
 * after the end of the stream.
 *
 * An instance inflates one stream, in chunks. Where uzlib would read uninitialized memory (a distance that points before the first byte),
 * this class reads zeros.
 */
export class UzlibInflater {
  readonly #input: UzlibInput;
  readonly #window = new Uint8Array(windowBytes);
  #written = 0;
  #type: 'none' | 'stored' | 'huffman' = 'none';
  #isFinal = false;
  /** Remaining bytes of a match, or the remaining bytes of a stored block plus one (`curlen` in uzlib). */
  #pending = 0;
  #matchFrom = 0;
  #literals: HuffmanCode = fixedLiterals;
  #distances: HuffmanCode = fixedDistances;

  constructor(readBlock: ReadBlock) {
    this.#input = new UzlibInput(readBlock);
  }

  /** Number of input blocks read. */
  get blocksRead(): number {
    return this.#input.blocksRead;
  }

  /** Number of input bytes consumed, including the header. */
  get consumedBytes(): number {
    return this.#input.consumedBytes;
  }

  /**
   * Parses the header like `uzlib_gzip_parse_header`, skipping FEXTRA, FNAME, FCOMMENT and FHCRC. Returns false if uzlib would reject the
   * header.
   */
  parseHeader(): boolean {
    if (this.#input.byte() !== 0x1f || this.#input.byte() !== 0x8b || this.#input.byte() !== 8) return false;
    const flags = this.#input.byte();
    if ((flags & 0xe0) !== 0) return false;
    this.#input.skip(6);
    if ((flags & 0x04) !== 0) this.#input.skip(this.#input.halfWord());
    if ((flags & 0x08) !== 0) this.#skipText();
    if ((flags & 0x10) !== 0) this.#skipText();
    if ((flags & 0x02) !== 0) this.#input.skip(2);
    return true;
  }

  /** Fills `output` like `uzlib_uncompress`. After an early stop, the rest of `output` is unchanged. */
  inflate(output: Uint8Array): InflateResult {
    for (let start = 0; start < output.length; start += windowBytes) {
      const piece = output.subarray(start, start + windowBytes);
      const from = this.#written;
      const result = this.#inflateUntil(from + piece.length);
      copyFromRing(this.#window, from, this.#written - from, piece);
      if (result !== 'more') return result;
    }
    return 'more';
  }

  /** Skips a zero-terminated string. The limit is needed because eboot's input has no end. */
  #skipText(): void {
    let byte = this.#input.byte();
    while (byte !== 0 && this.blocksRead < maxHeaderBlocks) byte = this.#input.byte();
  }

  #inflateUntil(limit: number): InflateResult {
    if (this.#type === 'none' && !this.#startBlock()) return 'broken';
    while (this.#written < limit) {
      const result = this.#type === 'stored' ? this.#storedBytes(limit) : this.#huffmanBytes(limit);
      if (result === 'broken') return 'broken';
      if (result === 'more') continue;
      if (this.#isFinal) return 'done';
      if (!this.#startBlock()) return 'broken';
    }
    return 'more';
  }

  #startBlock(): boolean {
    this.#isFinal = this.#input.bits(1) === 1;
    const type = this.#input.bits(2);
    if (type === 3) return false;
    this.#type = type === 0 ? 'stored' : 'huffman';
    if (type === 1) {
      this.#literals = fixedLiterals;
      this.#distances = fixedDistances;
    }
    return type !== 2 || this.#readCodes();
  }

  /** Reads a stored block like `tinf_inflate_uncompressed_block`. */
  #storedBytes(limit: number): InflateResult {
    if (this.#pending === 0) {
      this.#input.dropToByte();
      const length = this.#input.halfWord();
      if (this.#input.halfWord() !== (~length & 0xffff)) return 'broken';
      this.#pending = length + 1;
    }
    const count = Math.min(this.#pending - 1, limit - this.#written);
    for (let left = count; left > 0; left--) this.#window[this.#written++ & windowMask] = this.#input.byte();
    this.#pending -= count;
    if (this.#written === limit) return 'more';
    this.#pending = 0;
    return 'done';
  }

  /** Decodes like `tinf_inflate_block_data` until the output is full or the block ends. */
  #huffmanBytes(limit: number): InflateResult {
    while (this.#written < limit) {
      if (this.#pending > 0) {
        this.#copyMatch(limit);
        continue;
      }
      const symbol = this.#symbol(this.#literals);
      if (symbol === endOfBlock) return 'done';
      if (symbol === noSymbol) return 'broken';
      if (symbol < endOfBlock) this.#window[this.#written++ & windowMask] = symbol;
      else if (!this.#startMatch(symbol - 257)) return 'broken';
    }
    return 'more';
  }

  #startMatch(lengthSymbol: number): boolean {
    const base = lengthBase[lengthSymbol];
    if (base === undefined) return false;
    this.#pending = base + this.#input.bits(lengthExtra[lengthSymbol] ?? 0);
    const distanceSymbol = this.#symbol(this.#distances);
    const nearest = distanceBase[distanceSymbol];
    if (nearest === undefined) return false;
    this.#matchFrom = this.#written - nearest - this.#input.bits(distanceExtra[distanceSymbol] ?? 0);
    return true;
  }

  #copyMatch(limit: number): void {
    const window = this.#window;
    const end = Math.min(this.#written + this.#pending, limit);
    let from = this.#matchFrom;
    let to = this.#written;
    this.#pending -= end - to;
    while (to < end) window[to++ & windowMask] = window[from++ & windowMask] ?? 0;
    this.#matchFrom = from;
    this.#written = to;
  }

  /** Reads the codes of a dynamic block like `tinf_decode_trees`. */
  #readCodes(): boolean {
    const literalCount = this.#input.bits(5) + 257;
    const total = literalCount + this.#input.bits(5) + 1;
    const codeLengthCount = this.#input.bits(4) + 4;
    const codeLengths = new Uint8Array(codeLengthOrder.length);
    for (const symbol of codeLengthOrder.slice(0, codeLengthCount)) codeLengths[symbol] = this.#input.bits(3);
    const lengths = this.#readCodeLengths(huffmanCode(codeLengths), total);
    if (lengths === undefined) return false;
    this.#literals = huffmanCode(lengths.subarray(0, literalCount));
    this.#distances = huffmanCode(lengths.subarray(literalCount));
    return true;
  }

  #readCodeLengths(code: HuffmanCode, total: number): Uint8Array | undefined {
    const lengths = new Uint8Array(total);
    let count = 0;
    while (count < total) {
      const symbol = this.#symbol(code);
      if (symbol === noSymbol || (symbol === 16 && count === 0)) return undefined;
      if (symbol < 16) {
        lengths[count++] = symbol;
        continue;
      }
      const repeat =
        symbol === 16 ? 3 + this.#input.bits(2) : symbol === 17 ? 3 + this.#input.bits(3) : 11 + this.#input.bits(7);
      if (count + repeat > total) return undefined;
      lengths.fill(symbol === 16 ? (lengths[count - 1] ?? 0) : 0, count, count + repeat);
      count += repeat;
    }
    return lengths;
  }

  /**
   * Decodes the next symbol. Returns `noSymbol` for an invalid code. The lookup table is used only if the buffered bits contain the whole
   * code.
   */
  #symbol(code: HuffmanCode): number {
    const input = this.#input;
    if (input.heldBits < lookupBits) input.holdWhatIsThere();
    const entry = code.lookup[input.held & lookupMask] ?? 0;
    const length = entry & 15;
    if (entry === 0 || length > input.heldBits) return this.#longSymbol(code);
    input.drop(length);
    return entry >> 4;
  }

  /** Decodes a symbol bit by bit like `tinf_decode_symbol`. */
  #longSymbol(code: HuffmanCode): number {
    let first = 0;
    let value = 0;
    for (let length = 1; length <= longestCode; length++) {
      value = value * 2 + this.#input.bits(1);
      const count = code.counts[length] ?? 0;
      first += count;
      value -= count;
      if (value < 0) return code.symbols[first + value] ?? noSymbol;
    }
    return noSymbol;
  }
}

function copyFromRing(ring: Uint8Array, from: number, count: number, output: Uint8Array): void {
  const start = from & windowMask;
  const beforeWrap = Math.min(count, windowBytes - start);
  output.set(ring.subarray(start, start + beforeWrap));
  output.set(ring.subarray(0, count - beforeWrap), beforeWrap);
}
