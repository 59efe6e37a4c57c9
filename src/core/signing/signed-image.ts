import { OtaError } from '../../errors/ota-error.ts';
import { verifySignature } from '../keys/verify.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import type { Signer } from './signer.ts';

/**
 * `payload ‖ signature ‖ u32 little-endian length of the signature`: what `UpdaterClass::end` of the core expects in flash.
 *
 * The signature is verified with the signer's public key first: a device on a roof is a bad place to find out.
 *
 * @param name what an error calls the payload
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
