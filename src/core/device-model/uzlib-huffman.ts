/** Huffman codes that behave like uzlib's `tinf_build_tree` and `tinf_decode_symbol` (tinflate.c), with a lookup table for short codes. */

/** Maximum length in bits of a code that is decoded with one table lookup. */
export const lookupBits = 10;
export const lookupMask = (1 << lookupBits) - 1;
export const longestCode = 15;

export interface HuffmanCode {
  /**
   * Entries indexed by the next `lookupBits` bits, first bit lowest. An entry is `symbol << 4 | length`, or 0 if the code is longer or
   * invalid.
   */
  readonly lookup: Uint16Array;
  /** Number of codes of each length. The entry for length 0 is 0. */
  readonly counts: Uint16Array;
  /** Symbols in the order of their codes. */
  readonly symbols: Uint16Array;
}

/**
 * Builds a code from the code lengths of its symbols. Like uzlib, this function accepts invalid lengths. An over-subscribed code is
 * decoded from the counts alone. In an incomplete code, some bit strings have no symbol.
 */
export function huffmanCode(lengths: Uint8Array): HuffmanCode {
  const counts = new Uint16Array(longestCode + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  counts[0] = 0;
  const symbols = sortedSymbols(lengths, counts);
  return {
    lookup: isOverSubscribed(counts) ? new Uint16Array(1 << lookupBits) : lookupTable(counts, symbols),
    counts,
    symbols,
  };
}

/** Fixed Huffman codes for deflate blocks of type 1. */
export const fixedLiterals = huffmanCode(
  Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
);
export const fixedDistances = huffmanCode(new Uint8Array(32).fill(5));

function sortedSymbols(lengths: Uint8Array, counts: Uint16Array): Uint16Array {
  const next = new Uint16Array(longestCode + 1);
  for (let length = 1; length < longestCode; length++) next[length + 1] = (next[length] ?? 0) + (counts[length] ?? 0);
  const symbols = new Uint16Array(lengths.length);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const place = next[length] ?? 0;
    symbols[place] = symbol;
    next[length] = place + 1;
  }
  return symbols;
}

function isOverSubscribed(counts: Uint16Array): boolean {
  let left = 1;
  for (let length = 1; length <= longestCode; length++) {
    left = left * 2 - (counts[length] ?? 0);
    if (left < 0) return true;
  }
  return false;
}

function lookupTable(counts: Uint16Array, symbols: Uint16Array): Uint16Array {
  const lookup = new Uint16Array(1 << lookupBits);
  let code = 0;
  let place = 0;
  for (let length = 1; length <= lookupBits; length++) {
    const last = place + (counts[length] ?? 0);
    for (; place < last; place++, code++) {
      const entry = ((symbols[place] ?? 0) << 4) | length;
      for (let index = reversed(code, length); index < lookup.length; index += 1 << length) lookup[index] = entry;
    }
    code <<= 1;
  }
  return lookup;
}

function reversed(code: number, lengthBits: number): number {
  let result = 0;
  for (let bit = 0; bit < lengthBits; bit++) result |= ((code >> bit) & 1) << (lengthBits - 1 - bit);
  return result;
}
