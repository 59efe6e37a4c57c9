import { constants, createHash, createPrivateKey, sign as cryptoSign, privateEncrypt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { coreCapabilities } from '../../../src/core/device-model/cores.ts';
import {
  type DeviceWithoutFlash,
  deviceAtRest,
  type ModelDevice,
  type SignatureVerifier,
  signatureVerifier,
} from '../../../src/core/device-model/model-device.ts';
import { flashModes } from '../../../src/core/firmware/flash-header.ts';
import { readSketchImage } from '../../../src/core/firmware/sketch-image.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import type { FlashMode, SignatureFormat } from '../../../src/core/model/artifact.ts';
import { buildImage, concatBytes, fillSizeAndCrc, setWord } from '../../support/image-builder.ts';

const keyFile = (name: string): string => readFileSync(new URL(`../../fixtures/keys/${name}`, import.meta.url), 'utf8');
const privateKey = createPrivateKey(keyFile('test-only-private.pem'));
const publicKey = readPublicKey(keyFile('test-only-public.pem'), 'test-only-public.pem');

export const keyOf = (format: SignatureFormat): SignatureVerifier => signatureVerifier(publicKey, format);

/** Returns the payload, followed by its signature and the length of the signature. */
export function signed(payload: Uint8Array, format: SignatureFormat = 'current'): Uint8Array {
  const digest = createHash('sha256').update(payload).digest();
  const signature =
    format === 'current'
      ? cryptoSign('sha256', payload, privateKey)
      : privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, digest);
  const length = new Uint8Array(4);
  setWord(length, 0, signature.length);
  return concatBytes(payload, signature, length);
}

interface SketchWishes {
  readonly sizeBytes?: number;
  readonly noise?: number;
  readonly seed?: number;
  readonly mode?: FlashMode;
  /** Flash size in the high nibble of byte 3: 2 means 1 MB, and 4 means 4 MB. */
  readonly sizeNibble?: number;
}

/** Builds a valid sketch of about `sizeBytes`. `noise` is the proportion of incompressible content. */
export function sketchOf(wishes: SketchWishes = {}): Uint8Array {
  const { sizeBytes = 40_000, noise = 0.5, seed = 1, mode = 'dio', sizeNibble = 2 } = wishes;
  const content = noisyBytes(Math.max(sizeBytes - 0x1100, 16), noise, seed);
  const modeByte = flashModes.indexOf(mode);
  const image = buildImage({ flashContent: content, modeByte, sizeAndFrequencyByte: sizeNibble << 4 });
  image.set(ebootOfRealSize(image.subarray(0, 8)));
  fillSizeAndCrc(image, '3');
  return image;
}

/** Builds a bootloader of realistic size. The real eboot nearly fills its flash sector. */
function ebootOfRealSize(header: Uint8Array): Uint8Array {
  const eboot = new Uint8Array(16 + 3500 + 4).fill(0x5a, 16, 3516);
  eboot.set(header);
  setWord(eboot, 8, 0x4010f000);
  setWord(eboot, 12, 3500);
  // The content is an even number of equal bytes. Their XOR is zero, so the checksum keeps its initial value.
  eboot[eboot.length - 1] = 0xef;
  return eboot;
}

/** Returns zeros, with the proportion `noise` replaced by pseudorandom runs of 64 bytes. The bytes depend only on the seed. */
export function noisyBytes(sizeBytes: number, noise: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let start = 0; start < sizeBytes; start += 64) {
    if (next() / 0x100000000 >= noise) continue;
    for (let index = start; index < Math.min(start + 64, sizeBytes); index++) bytes[index] = next() & 0xff;
  }
  return bytes;
}

type Wishes = Partial<Omit<DeviceWithoutFlash, 'capabilities'>> & {
  readonly core?: string;
  readonly runs?: Uint8Array;
};

const presentSketches = new Map(flashModes.map((mode) => [mode, sketchOf({ seed: 99, mode })]));

/** Builds a virtual device with 1 MB of flash, a 64 KB filesystem and a small sketch. */
export function deviceOf({ core = '3.1.2', runs, ...wishes }: Wishes = {}): ModelDevice {
  const capabilities = coreCapabilities(core);
  if (capabilities === undefined) throw new Error(`no capabilities for ${core}`);
  const chipSizeBytes = wishes.chipSizeBytes ?? 1024 * 1024;
  const flashMode = wishes.flashMode ?? 'dio';
  const sketch = runs ?? presentSketches.get(flashMode) ?? sketchOf();
  const facts = {
    capabilities,
    verifier: undefined,
    fsStart: chipSizeBytes - 0x15000,
    fsEnd: chipSizeBytes - 0x5000,
    atomicFs: false,
    flashMap: false,
    flashMode,
    chipSizeBytes,
    sketchSizeBytes: readSketchImage(sketch).value?.sketchSizeBytes ?? sketch.length,
    ...wishes,
  };
  return deviceAtRest(facts, sketch);
}

export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
