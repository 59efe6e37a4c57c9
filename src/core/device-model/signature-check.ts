import type { ImageKind } from '../model/artifact.ts';
import type { GuardRejection } from '../model/guard-rejection.ts';
import { asSigned, guardRejectionOf, guardSignatureBytes } from './guard.ts';
import type { ModelDevice, ModelGuard, SignatureVerifier } from './model-device.ts';

/** Result of the signature check. `verified` and `no-key`: the update continues, and `sizeBytes` is the size in the eboot command. */
export type SignatureCheck =
  | { readonly outcome: 'verified' | 'no-key'; readonly sizeBytes: number }
  | { readonly outcome: 'refused'; readonly rejection?: GuardRejection }
  | { readonly outcome: 'crashed' };

/** Size of the word that follows the signature and contains its length. */
const lengthWordBytes = 4;

/** Size of the chunks in which the Updater reads and hashes the payload. */
const hashPieceBytes = 128;

/** Update that the Updater has written to flash. */
interface StagedUpdate {
  readonly kind: ImageKind;
  readonly startAddress: number;
  readonly sizeBytes: number;
}

/**
 * Checks the signature like `UpdaterClass::end` (Updater.cpp) on a device with a key, for sketch images and filesystem images. The check
 * reads the bytes from *flash*, where byte 2 may contain the device's own flash mode.
 */
export function checkSignature(device: ModelDevice, { kind, startAddress, sizeBytes }: StagedUpdate): SignatureCheck {
  const { verifier, guard, capabilities } = device;
  if (guard !== undefined) return checkGuard(device, guard, { kind, startAddress, sizeBytes });
  // A core without signature support ignores the verifier.
  if (verifier === undefined || capabilities.signing === 'none') return { outcome: 'no-key', sizeBytes };
  const received = device.flash.subarray(startAddress, startAddress + sizeBytes);
  const payloadBytes = sizeBytes - lengthWordBytes - verifier.lengthBytes;
  if (lastWord(received) !== verifier.lengthBytes || payloadBytes < 0) return { outcome: 'refused' };
  if (!isSigned(received, payloadBytes, verifier, capabilities.skipsUnalignedTail)) {
    return { outcome: capabilities.crashesOnBadSignature ? 'crashed' : 'refused' };
  }
  return { outcome: 'verified', sizeBytes: capabilities.cutsTrailerOff ? payloadBytes : sizeBytes };
}

/** Checks an update like the generated header of a project with the guard, which runs inside the same part of `UpdaterClass::end`. */
function checkGuard(
  device: ModelDevice,
  guard: ModelGuard,
  { kind, startAddress, sizeBytes }: StagedUpdate,
): SignatureCheck {
  const received = device.flash.subarray(startAddress, startAddress + sizeBytes);
  const signatureBytes = guardSignatureBytes(guard, lastWord(received));
  const payloadBytes = sizeBytes - lengthWordBytes - signatureBytes;
  // The Updater compares the length with the one that the guard returned, before it calls the guard again.
  if (lastWord(received) !== signatureBytes || payloadBytes < 0) return { outcome: 'refused', rejection: 'signature' };
  const payload = received.subarray(0, payloadBytes);
  const signature = received.subarray(payloadBytes, payloadBytes + signatureBytes);
  const isUnaligned = payloadBytes % 4 !== 0 && device.capabilities.skipsUnalignedTail;
  const hashed = asSigned(isUnaligned ? withStaleTail(payload) : payload, kind);
  const isValid = guard.verifiers.some((key) => key.lengthBytes === signatureBytes && key.verify(hashed, signature));
  if (!isValid) return { outcome: 'refused', rejection: 'signature' };
  const rejection = guardRejectionOf(guard, payload, { ...device, kind, startAddress });
  return rejection === undefined ? { outcome: 'verified', sizeBytes: payloadBytes } : { outcome: 'refused', rejection };
}

function isSigned(
  received: Uint8Array,
  payloadBytes: number,
  verifier: SignatureVerifier,
  skipsTail: boolean,
): boolean {
  const payload = received.subarray(0, payloadBytes);
  const signature = received.subarray(payloadBytes, payloadBytes + verifier.lengthBytes);
  const isUnaligned = payloadBytes % 4 !== 0;
  return verifier.verify(isUnaligned && skipsTail ? withStaleTail(payload) : payload, signature);
}

/**
 * Returns the bytes that cores 3.1.0 to 3.1.2 hash. In these cores, reading the last chunk fails if its length is not a multiple of 4,
 * and the buffer keeps the previous chunk. Without a previous chunk, the buffer contains undefined stack content, modeled as zeros.
 */
function withStaleTail(payload: Uint8Array): Uint8Array {
  const tailBytes = payload.length % hashPieceBytes;
  const tailStart = payload.length - tailBytes;
  const hashed = payload.slice();
  if (tailStart === 0) return hashed.fill(0);
  hashed.copyWithin(tailStart, tailStart - hashPieceBytes, tailStart - hashPieceBytes + tailBytes);
  return hashed;
}

function lastWord(bytes: Uint8Array): number | undefined {
  if (bytes.length < lengthWordBytes) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(bytes.length - lengthWordBytes, true);
}
