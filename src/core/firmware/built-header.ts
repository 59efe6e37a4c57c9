import { crc8266, shiftCrc } from './crc8266.ts';
import {
  describeFlash,
  flashFrequenciesByNibble,
  flashModes,
  flashSizesByNibble,
  readFlashHeader,
} from './flash-header.ts';

// Size limit for the search. The ESP8266 maps only 1 MB of flash as code.
const largestSketchBytes = 1024 * 1024 + 4096;
const headerBytes = 4;

/**
 * Finds the values of bytes 2 and 3 for which the stored CRC is correct, and describes them (see {@link describeFlash}). Returns undefined
 * if changing these bytes alone cannot correct the CRC. A CRC is linear: the effect of a changed bit depends only on the number of bytes
 * after it.
 *
 * @param difference stored CRC xor computed CRC
 */
export function findBuiltHeader(bytes: Uint8Array, imageBytes: number, difference: number): string | undefined {
  if (imageBytes < headerBytes || imageBytes > largestSketchBytes) return undefined;
  const effects = effectsOfBits(imageBytes);
  const present = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  for (const [mode] of flashModes.entries()) {
    for (const size of flashSizesByNibble.keys()) {
      for (const frequency of flashFrequenciesByNibble.keys()) {
        const candidate = (mode << 8) | (size << 4) | frequency;
        const change = candidate ^ present;
        const effect = effects.reduce((sum, value, bit) => ((change >> bit) & 1 ? sum ^ value : sum), 0);
        if (effect >>> 0 === difference >>> 0) return describeFlash(readFlashHeader(candidate >> 8, candidate & 0xff));
      }
    }
  }
  return undefined;
}

/** Returns the effect of each bit in bytes 2 and 3 on the CRC, starting with the lowest bit of byte 3. */
function effectsOfBits(imageBytes: number): readonly number[] {
  const lowestBit = crc8266(Uint8Array.of(0, 0, 0, 1), 0);
  const effects = [crc8266(new Uint8Array(imageBytes - headerBytes), lowestBit)];
  while (effects.length < 16) effects.push(shiftCrc(effects.at(-1) ?? 0));
  return effects;
}
