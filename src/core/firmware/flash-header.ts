/**
 * Bytes 2 and 3 of an image header: how the boot ROM drives the flash chip. The nibbles are those of
 * `EspClass::magicFlashChipSize`, `magicFlashChipSpeed` and `magicFlashChipMode` (`Esp.cpp`) and of `tools/elf2bin.py`.
 */

import type { FlashMode } from '../model/artifact.ts';

/** By the byte's value: index 0 is QIO. */
export const flashModes = ['qio', 'qout', 'dio', 'dout'] as const satisfies readonly FlashMode[];

/** High nibble of byte 3 -> bytes of flash. */
export const flashSizesByNibble: ReadonlyMap<number, number> = new Map([
  [0, 512 * 1024],
  [1, 256 * 1024],
  [2, 1024 * 1024],
  [3, 2 * 1024 * 1024],
  [4, 4 * 1024 * 1024],
  [8, 8 * 1024 * 1024],
  [9, 16 * 1024 * 1024],
]);

/** Low nibble of byte 3 -> MHz. */
export const flashFrequenciesByNibble: ReadonlyMap<number, number> = new Map([
  [0, 40],
  [1, 26],
  [2, 20],
  [15, 80],
]);

/** What two header bytes say; undefined where the core's own tables have no entry. */
export interface FlashHeader {
  readonly mode: FlashMode | undefined;
  readonly sizeBytes: number | undefined;
  readonly frequencyMHz: number | undefined;
}

/** Reads header bytes 2 (mode) and 3 (size and frequency). */
export function readFlashHeader(modeByte: number, sizeAndFrequencyByte: number): FlashHeader {
  return {
    mode: flashModes[modeByte],
    sizeBytes: flashSizesByNibble.get(sizeAndFrequencyByte >> 4),
    frequencyMHz: flashFrequenciesByNibble.get(sizeAndFrequencyByte & 0x0f),
  };
}

/** In words, such as `dio, 4096 KB, 40 MHz`. */
export function describeFlash({ mode, sizeBytes, frequencyMHz }: FlashHeader): string {
  const size = sizeBytes === undefined ? 'unknown size' : `${sizeBytes / 1024} KB`;
  const frequency = frequencyMHz === undefined ? 'unknown frequency' : `${frequencyMHz} MHz`;
  return `${mode ?? 'unknown mode'}, ${size}, ${frequency}`;
}
