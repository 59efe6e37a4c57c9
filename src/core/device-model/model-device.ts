import { flashModes, flashSizesByNibble } from '../firmware/flash-header.ts';
import { imageMagic } from '../firmware/image-header.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import { verifySignature } from '../keys/verify.ts';
import type { FlashMode, SignatureFormat } from '../model/artifact.ts';
import type { CoreCapabilities } from './cores.ts';
import { erasedFlash } from './flash.ts';

/** Counterpart of `UpdaterVerifyClass` (Updater.h): verifies signatures with the key that the sketch was built with. */
export interface SignatureVerifier {
  /** Length of a signature in bytes, equal to the length of the key's modulus. */
  readonly lengthBytes: number;
  verify(payload: Uint8Array, signature: Uint8Array): boolean;
}

/** Build options of the running sketch. */
export interface BuildFacts {
  readonly capabilities: CoreCapabilities;
  /** Undefined if the sketch was built without a key and therefore does not verify signatures. */
  readonly verifier: SignatureVerifier | undefined;
  /** Start of the filesystem (`_FS_start - 0x40200000`) and end of the sketch area. */
  readonly fsStart: number;
  /** End of the filesystem (`_FS_end - 0x40200000`). Equal to `fsStart` without a filesystem. */
  readonly fsEnd: number;
  /** Whether the sketch was built with ATOMIC_FS_UPDATE. */
  readonly atomicFs: boolean;
  /** Whether the layout is "mapping defined by hardware and sketch" (FLASH_MAP_SUPPORT): flash sizes are not compared. */
  readonly flashMap: boolean;
}

/** Device between updates, with the state that affects an update. */
export interface ModelDevice extends BuildFacts {
  /** Flash mode from byte 2 of the header in flash. */
  readonly flashMode: FlashMode;
  /** Size of the physical flash chip in bytes; the size in a header may differ. */
  readonly chipSizeBytes: number;
  /** Result of `ESP.getSketchSize()`. */
  readonly sketchSizeBytes: number;
  /** Content of the whole chip, `chipSizeBytes` long. */
  readonly flash: Uint8Array;
  /** MD5 that a failed update left in the Updater; cores before 3.0.0 keep it until the next restart. */
  readonly leftoverMd5: string | undefined;
}

/** Device without its flash content and leftover MD5. */
export type DeviceWithoutFlash = Omit<ModelDevice, 'flash' | 'leftoverMd5'>;

/**
 * Creates a device that has just started; all flash outside its sketch is erased.
 *
 * @param sketch bytes of the running sketch; by default only a header with the device's flash mode and chip size
 */
export function deviceAtRest(facts: DeviceWithoutFlash, sketch: Uint8Array = headerOf(facts)): ModelDevice {
  const flash = erasedFlash(facts.chipSizeBytes);
  flash.set(sketch.subarray(0, flash.length));
  flash[2] = flashModes.indexOf(facts.flashMode);
  return { ...facts, flash, leftoverMd5: undefined };
}

/** Creates a verifier that works like BearSSLHelpers.cpp, for devices with this key whose core uses this signature format. */
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
