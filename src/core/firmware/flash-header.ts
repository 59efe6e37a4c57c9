/**
 * Bytes 2 and 3 of an image header: flash mode, size and frequency for the boot ROM. The values are defined in
 * `EspClass::magicFlashChipSize`, `magicFlashChipSpeed` and `magicFlashChipMode` (`Esp.cpp`), and in `tools/elf2bin.py`.
 */

import type { FlashMode } from '../model/artifact.ts';

/** Flash modes by the value of byte 2. Index 0 is QIO. */
export const flashModes = ['qio', 'qout', 'dio', 'dout'] as const satisfies readonly FlashMode[];

/**
 * Image modes that boot on a device, by the device's own flash mode. A chip that works in one mode also works in every slower mode, but
 * perhaps not in a faster one: dout < dio < qio and dout < qout < qio.
 */
const bootableModes: Readonly<Record<FlashMode, readonly FlashMode[]>> = {
  qio: ['qio', 'qout', 'dio', 'dout'],
  qout: ['qout', 'dout'],
  dio: ['dio', 'dout'],
  dout: ['dout'],
};

/** Returns whether an image whose flash mode is not patched boots on a device that runs in `deviceMode`. */
export function bootsUnpatched(imageMode: FlashMode, deviceMode: FlashMode): boolean {
  return bootableModes[deviceMode].includes(imageMode);
}

/** Flash sizes in bytes, by the high nibble of byte 3. */
export const flashSizesByNibble: ReadonlyMap<number, number> = new Map([
  [0, 512 * 1024],
  [1, 256 * 1024],
  [2, 1024 * 1024],
  [3, 2 * 1024 * 1024],
  [4, 4 * 1024 * 1024],
  [8, 8 * 1024 * 1024],
  [9, 16 * 1024 * 1024],
]);

/** Flash frequencies in MHz, by the low nibble of byte 3. */
export const flashFrequenciesByNibble: ReadonlyMap<number, number> = new Map([
  [0, 40],
  [1, 26],
  [2, 20],
  [15, 80],
]);

/** Values of header bytes 2 and 3. A value that the core does not define is undefined. */
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

/** Describes a flash header, such as `dio, 4096 KB, 40 MHz`. */
export function describeFlash({ mode, sizeBytes, frequencyMHz }: FlashHeader): string {
  const size = sizeBytes === undefined ? 'unknown size' : `${sizeBytes / 1024} KB`;
  const frequency = frequencyMHz === undefined ? 'unknown frequency' : `${frequencyMHz} MHz`;
  return `${mode ?? 'unknown mode'}, ${size}, ${frequency}`;
}
