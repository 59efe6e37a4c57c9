import { flashModes, flashSizesByNibble } from '../firmware/flash-header.ts';
import { imageMagic } from '../firmware/image-header.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import { verifySignature } from '../keys/verify.ts';
import type { FlashMode, SignatureFormat } from '../model/artifact.ts';
import type { GuardFacts } from '../model/device-facts.ts';
import type { CoreCapabilities } from './cores.ts';
import { erasedFlash } from './flash.ts';

/** Signature verification in the Updater, like `UpdaterVerifyClass` (Updater.h). Uses the key that the sketch was built with. */
export interface SignatureVerifier {
  /** Length of a signature in bytes. Equal to the length of the key's modulus. */
  readonly lengthBytes: number;
  verify(payload: Uint8Array, signature: Uint8Array): boolean;
}

/** Guard of the running sketch: the checks of the generated header, which replace the core's check of the signature. */
export interface ModelGuard extends Pick<GuardFacts, 'product' | 'securityVersion' | 'require'> {
  /** Verifiers of the accepted keys, in the order in which the device tries them. */
  readonly verifiers: readonly SignatureVerifier[];
}

/** Build options of the running sketch. */
export interface BuildFacts {
  readonly capabilities: CoreCapabilities;
  /** Verifier; undefined if the sketch was built without a key and does not verify signatures. */
  readonly verifier: SignatureVerifier | undefined;
  /** Guard of the sketch, which replaces the verifier; undefined without the guard. */
  readonly guard?: ModelGuard | undefined;
  /** Start of the filesystem and end of the sketch area, as a flash offset (`_FS_start - 0x40200000`). */
  readonly fsStart: number;
  /** End of the filesystem, as a flash offset (`_FS_end - 0x40200000`). Equal to `fsStart` without a filesystem. */
  readonly fsEnd: number;
  /** True if the sketch was built with ATOMIC_FS_UPDATE. */
  readonly atomicFs: boolean;
  /**
   * True for the layout "mapping defined by hardware and sketch" (FLASH_MAP_SUPPORT). With this layout, the core does not compare flash
   * sizes.
   */
  readonly flashMap: boolean;
}

/** Device between updates, with all state that affects an update. */
export interface ModelDevice extends BuildFacts {
  /** Flash mode from byte 2 of the header in flash. */
  readonly flashMode: FlashMode;
  /** Size of the physical flash chip in bytes. The size in an image header may differ. */
  readonly chipSizeBytes: number;
  /** Size of the running sketch (`ESP.getSketchSize()`). */
  readonly sketchSizeBytes: number;
  /** Content of the whole flash chip; `chipSizeBytes` bytes. */
  readonly flash: Uint8Array;
  /** MD5 that a failed update left in the Updater. Cores before 3.0.0 keep the MD5 until the next restart. */
  readonly leftoverMd5: string | undefined;
}

/** Device state without the flash content and the leftover MD5. */
export type DeviceWithoutFlash = Omit<ModelDevice, 'flash' | 'leftoverMd5'>;

/**
 * Creates a device that has just started. All flash outside the sketch is erased.
 *
 * @param sketch bytes of the running sketch; by default only a header with the device's flash mode and chip size
 */
export function deviceAtRest(facts: DeviceWithoutFlash, sketch: Uint8Array = headerOf(facts)): ModelDevice {
  const flash = erasedFlash(facts.chipSizeBytes);
  flash.set(sketch.subarray(0, flash.length));
  flash[2] = flashModes.indexOf(facts.flashMode);
  return { ...facts, flash, leftoverMd5: undefined };
}

/** Creates a verifier that works like BearSSLHelpers.cpp, for a public key and a signature format. */
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
