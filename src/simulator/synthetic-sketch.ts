import { crc8266 } from '../core/firmware/crc8266.ts';
import { flashModes, flashSizesByNibble } from '../core/firmware/flash-header.ts';
import { imageMagic } from '../core/firmware/image-header.ts';
import type { RsaPublicKey } from '../core/keys/public-key.ts';
import type { FlashMode } from '../core/model/artifact.ts';
import { coreReleaseOf } from '../core/model/core-versions.ts';
import { seededRandom } from './random.ts';

/** Options for a synthetic sketch. All options have defaults. */
export interface SyntheticSketchOptions {
  /** Size of the image, rounded up to a multiple of 16 bytes. At least 8 KB; defaults to 300 KB. */
  readonly sizeBytes?: number | undefined;
  /** Seed for the content of the sketch. Different seeds produce different sketches. */
  readonly seed?: number | undefined;
  /** Share of incompressible bytes in the image, from 0 to 1. Defaults to about 0.6, as in real sketches. */
  readonly noise?: number | undefined;
  readonly flashMode?: FlashMode | undefined;
  /** Flash size in the image header. Defaults to 4 MB. */
  readonly flashSizeBytes?: number | undefined;
  /** Key that the sketch was built with. */
  readonly publicKey?: RsaPublicKey | undefined;
  /** Git hash of the core: the first eight hex digits of its commit. Defaults to `210897ef`, which is core 3.1.2. Eight zeros: no hash. */
  readonly coreGitHash?: string | undefined;
}

const sectorBytes = 4096;
const smallestBytes = 2 * sectorBytes;
const irom = 0x40200000;
const headerBytes = 16;

// Strings that the firmware reader searches for. Without these strings, the sketch would appear unable to install updates.
const traces = ['Not Enough Space\0', 'AUTH %s\0', 'ESP8266-http-Update\0', 'Update Success! Rebooting...\0'];

/**
 * Returns a sketch image with everything that the boot ROM, eboot, the Updater and the firmware reader check: eboot, padding,
 * application, checksums, size and CRC, in the format of the core's `tools/elf2bin.py`. The image contains no executable code.
 */
export function syntheticSketch(options: SyntheticSketchOptions = {}): Uint8Array {
  const { sizeBytes = 300 * 1024, flashMode = 'dio', coreGitHash = '210897ef' } = options;
  const flash = Uint8Array.of(
    flashModes.indexOf(flashMode),
    sizeNibble(options.flashSizeBytes ?? 4 * 1024 * 1024) << 4,
  );
  const image = new Uint8Array(Math.ceil(Math.max(sizeBytes, smallestBytes) / 16) * 16).fill(0xaa, 0, sectorBytes);
  const generation = generationOf(coreGitHash);
  writeEboot(image, flash);
  writeApplication(image, flash, applicationContent(image.length - sectorBytes - headerBytes - 1, generation, options));
  if (generation !== 'none') writeSizeAndCrc(image, generation === 'application' ? sectorBytes + 16 : sectorBytes - 8);
  return image;
}

type Generation = 'none' | 'eboot-page' | 'application';

/** Returns the location of the size and CRC words: none before core 2.7.0, eboot's page up to 2.7.4, and the application since 3.0.0. */
function generationOf(coreGitHash: string): Generation {
  const [major = 3, minor = 0] = (coreReleaseOf(coreGitHash) ?? '3.0.0').split('.').map(Number);
  if (major >= 3) return 'application';
  return minor >= 7 ? 'eboot-page' : 'none';
}

function sizeNibble(flashSizeBytes: number): number {
  return [...flashSizesByNibble].find(([, size]) => size === flashSizeBytes)?.[0] ?? 4;
}

/** Writes eboot: one segment of equal bytes that nearly fills the sector. The XOR of the bytes is zero. */
function writeEboot(image: Uint8Array, flash: Uint8Array): void {
  const segmentBytes = 3500;
  writeHeader(image.subarray(0, headerBytes), flash, 0x4010f000, segmentBytes);
  image.fill(0x5a, headerBytes, headerBytes + segmentBytes);
  image.fill(0, headerBytes + segmentBytes, headerBytes + segmentBytes + 4);
  image[headerBytes + segmentBytes + 3] = 0xef;
}

function applicationContent(
  availableBytes: number,
  generation: Generation,
  { seed = 1, noise = 0.6, publicKey, coreGitHash = '210897ef' }: SyntheticSketchOptions,
): Uint8Array {
  const content = new Uint8Array(availableBytes & ~3);
  const hashAt = generation === 'application' ? 8 : 0;
  new DataView(content.buffer).setUint32(hashAt, Number.parseInt(coreGitHash, 16), true);
  // The zero byte ends the key, because the device's parser expects a zero-terminated string.
  const text = Buffer.from([...traces, ...(publicKey === undefined ? [] : [`${publicKey.pem}\0`])].join(''), 'latin1');
  content.set(text.subarray(0, content.length - hashAt - 4), hashAt + 4);
  fillWithNoise(content.subarray(Math.min(hashAt + 4 + text.length, content.length)), seed, noise);
  return content;
}

/** Fills the content with runs of random bytes and zeros, so that it compresses to about the share `noise` of its size. */
function fillWithNoise(content: Uint8Array, seed: number, noise: number): void {
  const random = seededRandom(seed);
  const runBytes = 64;
  for (let start = 0; start < content.length; start += runBytes) {
    if (random() >= noise) continue;
    const end = Math.min(start + runBytes, content.length);
    for (let index = start; index < end; index++) content[index] = random() * 256;
  }
}

function writeApplication(image: Uint8Array, flash: Uint8Array, content: Uint8Array): void {
  const application = image.subarray(sectorBytes);
  writeHeader(application.subarray(0, headerBytes), flash, irom + sectorBytes + headerBytes, content.length);
  application.set(content, headerBytes);
  application[application.length - 1] = content.reduce((sum, byte) => sum ^ byte, 0xef);
}

/** Writes the header of an image with one segment: magic, segment count, flash bytes, entry point, and the segment's address and size. */
function writeHeader(header: Uint8Array, flash: Uint8Array, address: number, segmentBytes: number): void {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  header.set([imageMagic, 1, ...flash]);
  view.setUint32(4, address, true);
  view.setUint32(8, address, true);
  view.setUint32(12, segmentBytes, true);
}

/** Writes the size and CRC words. Both words are zero while the CRC is computed. */
function writeSizeAndCrc(image: Uint8Array, offset: number): void {
  const view = new DataView(image.buffer);
  view.setUint32(offset, 0, true);
  view.setUint32(offset + 4, 0, true);
  const crc = crc8266(image);
  view.setUint32(offset, image.length, true);
  view.setUint32(offset + 4, crc, true);
}
