import { findBuiltHeader } from './built-header.ts';
import { crc8266 } from './crc8266.ts';
import type { Finding, Reading } from './finding.ts';
import { hexWord, wordAt } from './little-endian.ts';

/** Offsets of the size and CRC words by location. */
export const crcWords = {
  application: { sizeOffset: 4096 + 16, crcOffset: 4096 + 20 },
  'eboot-page': { sizeOffset: 4088, crcOffset: 4092 },
} as const;

/** Stored and expected values of the size and CRC words. */
export interface ImageCrc {
  readonly rule: 'application' | 'eboot-page';
  readonly storedSizeBytes: number;
  readonly stored: number;
  /** CRC of the bytes that the size word covers; undefined if the size word is incorrect. */
  readonly computed: number | undefined;
  readonly matches: boolean;
}

/**
 * Checks the size and CRC words.
 *
 * @param imageBytes end of the image according to its segment table, if known. The size word must match, because elf2bin appends nothing.
 */
export function readImageCrc(
  bytes: Uint8Array,
  rule: ImageCrc['rule'],
  imageBytes: number | undefined,
): Reading<ImageCrc | undefined> {
  const { sizeOffset, crcOffset } = crcWords[rule];
  const storedSizeBytes = wordAt(bytes, sizeOffset);
  const stored = wordAt(bytes, crcOffset);
  if (storedSizeBytes === undefined || stored === undefined) return { value: undefined, findings: [] };

  const tooLong = storedSizeBytes > bytes.length;
  if (tooLong || (imageBytes !== undefined && storedSizeBytes !== imageBytes)) {
    const actual = imageBytes === undefined ? `the file has ${bytes.length}` : `its segments end at ${imageBytes}`;
    const message = `the stored size of the image is ${storedSizeBytes} bytes, but ${actual}`;
    const finding: Finding = { id: 'crc-size-mismatch', message, offset: sizeOffset };
    return { value: { rule, storedSizeBytes, stored, computed: undefined, matches: false }, findings: [finding] };
  }

  const computed = crcWithoutWords(bytes.subarray(0, storedSizeBytes), sizeOffset);
  const matches = computed === stored;
  const value = { rule, storedSizeBytes, stored, computed, matches };
  return { value, findings: matches ? [] : [mismatchFinding(bytes, value, crcOffset)] };
}

/** Distinguishes a damaged image from an image with a rewritten flash header, in which only the CRC is incorrect. */
function mismatchFinding(bytes: Uint8Array, crc: CrcMismatch, crcOffset: number): Finding {
  const { stored, computed, storedSizeBytes } = crc;
  const built = findBuiltHeader(bytes, storedSizeBytes, stored ^ computed);
  if (built !== undefined) {
    const message = `the CRC matches an image with ${built} in its header: a tool changed bytes 2 and 3 after the build`;
    return { id: 'flash-header-patched', message, offset: 2 };
  }
  const message = `the CRC of the image is ${hexWord(stored)}, but it should be ${hexWord(computed)}`;
  return { id: 'crc-mismatch', message, offset: crcOffset };
}

interface CrcMismatch {
  readonly storedSizeBytes: number;
  readonly stored: number;
  readonly computed: number;
}

/** Computes the CRC with both words set to zero, like `crc8266` in `elf2bin.py`. */
function crcWithoutWords(bytes: Uint8Array, wordsOffset: number): number {
  const before = crc8266(bytes.subarray(0, wordsOffset));
  const words = crc8266(new Uint8Array(8), before);
  return crc8266(bytes.subarray(wordsOffset + 8), words);
}
