import { OtaError } from '../../errors/ota-error.ts';
import { verifySignature } from '../keys/verify.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import type { Signer } from './signer.ts';

/**
 * Returns `payload ‖ signature ‖ u32 little-endian length of the signature`, the format that the core's `UpdaterClass::end` expects.
 *
 * The signature is verified with the signer's public key, so that an invalid signature is detected here and not on the device.
 *
 * @param name payload name for error messages
 * @throws OtaError SIGNATURE_UNVERIFIED
 */
export async function signImage(
  payload: Uint8Array,
  signer: Signer,
  format: SignatureFormat,
  name: string,
): Promise<Uint8Array> {
  const signature = await signer.sign(payload, format);
  if (!verifySignature(payload, signature, signer.publicKey, format)) {
    throw new OtaError('SIGNATURE_UNVERIFIED', { path: name });
  }
  const signed = new Uint8Array(payload.length + signature.length + 4);
  signed.set(payload);
  signed.set(signature, payload.length);
  new DataView(signed.buffer).setUint32(payload.length + signature.length, signature.length, true);
  return signed;
}
