import type { SignatureVerifier, VirtualDevice } from './virtual-device.ts';

/** verified, no-key: go on with `sizeBytes`, which is the size that eboot will be told. */
export type SignatureCheck =
  | { readonly outcome: 'verified' | 'no-key'; readonly sizeBytes: number }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'crashed' };

/** The word behind the signature, which says how long the signature is. */
const lengthWordBytes = 4;

/** The Updater reads and hashes the payload in pieces of this size. */
const hashPieceBytes = 128;

/**
 * The part of `UpdaterClass::end` (Updater.cpp) that a device with a key runs: over what is in *flash*, where byte 2 is the
 * device's own, for sketches and filesystems alike.
 */
export function checkSignature(device: VirtualDevice, startAddress: number, sizeBytes: number): SignatureCheck {
  const { verifier, habits } = device;
  // A device of a core that cannot verify has no key, whatever it was said to be built with.
  if (verifier === undefined || habits.signing === 'none') return { outcome: 'no-key', sizeBytes };
  const received = device.flash.subarray(startAddress, startAddress + sizeBytes);
  const payloadBytes = sizeBytes - lengthWordBytes - verifier.lengthBytes;
  if (lastWord(received) !== verifier.lengthBytes || payloadBytes < 0) return { outcome: 'refused' };
  if (!isSigned(received, payloadBytes, verifier, habits.skipsUnalignedTail)) {
    return { outcome: habits.crashesOnBadSignature ? 'crashed' : 'refused' };
  }
  return { outcome: 'verified', sizeBytes: habits.cutsTrailerOff ? payloadBytes : sizeBytes };
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
 * What 3.1.0 to 3.1.2 hash: the read of the last piece fails when 4 does not divide its length, and the buffer still holds
 * the piece before (or, in the first piece, whatever the stack had: zeros here).
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
