import { createHash } from 'node:crypto';
import type { SketchMd5 } from '../model/manifest.ts';
import { flashFrequenciesByNibble, flashModes, flashSizesByNibble } from './flash-header.ts';

const headerBytes = 4;
// Size limit for sketch MD5s. An ESP8266 maps 1 MiB of flash as code, and computing 112 digests of 16 MiB would take 3 s.
const largestSketchBytes = 4 * 1024 * 1024;

/**
 * Computes all possible results of `ESP.getSketchMD5()` (`Esp.cpp`) while this image runs: 4 modes x 7 sizes x 4 frequencies.
 * `getSketchMD5` hashes the sketch in flash, starting at offset 0. Bytes 2 and 3 in flash can differ from the file, because the Updater
 * and flashing tools write the device's flash mode, size and frequency. Returns an empty array if the image is shorter than
 * `sketchSizeBytes`, and for sketches larger than 4 MiB, which no ESP8266 can run.
 */
export function sketchMd5s(image: Uint8Array, sketchSizeBytes: number): readonly SketchMd5[] {
  if (sketchSizeBytes < headerBytes || image.length < sketchSizeBytes) return [];
  if (sketchSizeBytes > largestSketchBytes) return [];
  const header = Buffer.from(image.subarray(0, headerBytes));
  const rest = image.subarray(headerBytes, sketchSizeBytes);
  const md5s: SketchMd5[] = [];
  for (const [modeByte, flashMode] of flashModes.entries()) {
    for (const [sizeNibble, flashSizeBytes] of flashSizesByNibble) {
      for (const [frequencyNibble, flashFrequencyMHz] of flashFrequenciesByNibble) {
        header[2] = modeByte;
        header[3] = (sizeNibble << 4) | frequencyNibble;
        const md5 = createHash('md5').update(header).update(rest).digest('hex');
        md5s.push({ flashMode, flashSizeBytes, flashFrequencyMHz, md5 });
      }
    }
  }
  return md5s;
}
