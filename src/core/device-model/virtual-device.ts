import { flashModes, flashSizesByNibble } from '../firmware/flash-header.ts';
import { imageMagic } from '../firmware/image-header.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import { verifySignature } from '../keys/verify.ts';
import type { FlashMode, SignatureFormat } from '../model/artifact.ts';
import type { CoreHabits } from './cores.ts';
import { erasedFlash } from './flash.ts';

/** What `UpdaterVerifyClass` (Updater.h) is to the Updater: a key that the sketch was built with. */
export interface SignatureVerifier {
  /** Of the signature, in bytes: the length of the key's modulus. */
  readonly lengthBytes: number;
  verify(payload: Uint8Array, signature: Uint8Array): boolean;
}

/** How a device's present sketch was built. */
export interface BuildFacts {
  readonly habits: CoreHabits;
  /** Undefined: built without a key, so that signatures are neither wanted nor understood. */
  readonly verifier: SignatureVerifier | undefined;
  /** Where the filesystem begins (`_FS_start - 0x40200000`); the sketch area ends there. */
  readonly fsStart: number;
  /** Where it ends (`_FS_end - 0x40200000`); equal to `fsStart` when there is none. */
  readonly fsEnd: number;
  /** Built with ATOMIC_FS_UPDATE. */
  readonly atomicFs: boolean;
  /** Built with the layout "mapping defined by hardware and sketch" (FLASH_MAP_SUPPORT): it compares no flash sizes. */
  readonly flashMap: boolean;
}

/** A device at rest, as far as an update can tell. */
export interface VirtualDevice extends BuildFacts {
  /** What byte 2 of the header in flash says now. */
  readonly flashMode: FlashMode;
  /** Of the chip that is soldered on; headers may say something else. */
  readonly chipSizeBytes: number;
  /** What `ESP.getSketchSize()` says. */
  readonly sketchSizeBytes: number;
  /** The whole chip, `chipSizeBytes` long. Nothing in this room changes it: results have their own copy. */
  readonly flash: Uint8Array;
  /** An MD5 that an earlier, failed update left in the Updater; cores before 3.0.0 keep it until the next restart. */
  readonly leftoverMd5: string | undefined;
}

/** What is known of a device without its flash. */
export type DeviceWithoutFlash = Omit<VirtualDevice, 'flash' | 'leftoverMd5'>;

/**
 * A device that has just started, with erased flash around its sketch.
 *
 * @param sketch what runs, as far as it matters: without it, a header that names the device's own flash mode and size
 */
export function deviceAtRest(facts: DeviceWithoutFlash, sketch: Uint8Array = headerOf(facts)): VirtualDevice {
  const flash = erasedFlash(facts.chipSizeBytes);
  flash.set(sketch.subarray(0, flash.length));
  flash[2] = flashModes.indexOf(facts.flashMode);
  return { ...facts, flash, leftoverMd5: undefined };
}

/** A verifier for devices that hold this key: BearSSLHelpers.cpp, in the format of the device's core. */
export function signatureVerifier(key: RsaPublicKey, format: SignatureFormat): SignatureVerifier {
  return {
    lengthBytes: key.modulus.length,
    verify: (payload, signature) => verifySignature(payload, signature, key, format),
  };
}

function headerOf({ chipSizeBytes }: DeviceWithoutFlash): Uint8Array {
  const nibble = [...flashSizesByNibble].find(([, sizeBytes]) => sizeBytes === chipSizeBytes)?.[0] ?? 0x0f;
  return Uint8Array.of(imageMagic, 1, 0, nibble << 4);
}
