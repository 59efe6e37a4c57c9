import { findBuiltHeader } from './built-header.ts';
import { crc8266 } from './crc8266.ts';
import type { Finding, Reading } from './finding.ts';
import { hexWord, wordAt } from './little-endian.ts';

/**
 * Where a core generation stores the size of the whole .bin and its CRC (`add_crc` in `elf2bin.py`):
 *
 * - `application`: cores from 3.0.0, at the start of the application's first segment;
 * - `eboot-page`: 2.7.x, in the last eight bytes of eboot's page;
 * - `none`: up to 2.6.3 nothing is stored;
 * - `unknown`: neither the core's git hash nor a size word tells.
 */
export type CrcRule = 'application' | 'eboot-page' | 'none' | 'unknown';

/** The offsets of the two words by rule. */
export const crcWords = {
  application: { sizeOffset: 4096 + 16, crcOffset: 4096 + 20 },
  'eboot-page': { sizeOffset: 4088, crcOffset: 4092 },
} as const;

/** The two words as they are and as they should be. */
export interface ImageCrc {
  readonly rule: 'application' | 'eboot-page';
  readonly storedSizeBytes: number;
  readonly stored: number;
  /** Over the stored size; undefined when the file is shorter than that. */
  readonly computed: number | undefined;
  readonly matches: boolean;
}

/**
 * Checks size and CRC words. `imageBytes` is where the image ends by its segments, when that is known: elf2bin appends
 * nothing after it, so the size word must say the same.
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
    const actual = imageBytes === undefined ? `has ${bytes.length}` : `has ${imageBytes} by its segments`;
    const message = `the image says that it has ${storedSizeBytes} bytes, but it ${actual}`;
    const finding: Finding = { id: 'crc-size-mismatch', message, offset: sizeOffset };
    return { value: { rule, storedSizeBytes, stored, computed: undefined, matches: false }, findings: [finding] };
  }

  const computed = crcWithoutWords(bytes.subarray(0, storedSizeBytes), sizeOffset);
  const matches = computed === stored;
  const value = { rule, storedSizeBytes, stored, computed, matches };
  return { value, findings: matches ? [] : [mismatchFinding(bytes, value, crcOffset)] };
}

/** Tells an image whose flash header was rewritten, which is sound but for its CRC, from one that is damaged. */
function mismatchFinding(bytes: Uint8Array, crc: CrcMismatch, crcOffset: number): Finding {
  const { stored, computed, storedSizeBytes } = crc;
  const built = findBuiltHeader(bytes, storedSizeBytes, stored ^ computed);
  if (built !== undefined) {
    const message = `the CRC is that of an image with ${built} in its header: a tool has changed bytes 2 and 3 since it was built`;
    return { id: 'flash-header-patched', message, offset: 2 };
  }
  const message = `the CRC of the image is ${hexWord(stored)}, but its bytes give ${hexWord(computed)}`;
  return { id: 'crc-mismatch', message, offset: crcOffset };
}

interface CrcMismatch {
  readonly storedSizeBytes: number;
  readonly stored: number;
  readonly computed: number;
}

/** The CRC of the bytes with the eight bytes of both words taken as zero (`crc8266` in `elf2bin.py`). */
function crcWithoutWords(bytes: Uint8Array, wordsOffset: number): number {
  const before = crc8266(bytes.subarray(0, wordsOffset));
  const words = crc8266(new Uint8Array(8), before);
  return crc8266(bytes.subarray(wordsOffset + 8), words);
}
