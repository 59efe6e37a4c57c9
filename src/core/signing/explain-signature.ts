import { constants, createHash, publicDecrypt } from 'node:crypto';
import type { RsaPublicKey } from '../keys/public-key.ts';
import { verifySignature } from '../keys/verify.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import { digestInfoOf } from './digest-info.ts';

/** What a signature covers in place of the payload, as far as the public key shows it. */
export type SignatureFault =
  /** The number of bytes differs from the modulus. */
  | 'length'
  /** A different key made it, or its padding is not PKCS#1 v1.5. */
  | 'key-or-padding'
  /** It covers the bare digest, without the DigestInfo. */
  | 'bare-digest'
  /** It covers the hash of the digest or of the DigestInfo. */
  | 'hashed-twice'
  /** The key made it for other bytes or with a different hash. */
  | 'other-content';

/**
 * Verifies a signature. Uses the public key to find out what an invalid signature covers, because programs that sign differ in what they
 * expect as input.
 *
 * @returns undefined if the signature is valid
 */
export function signatureFault(
  payload: Uint8Array,
  signature: Uint8Array,
  publicKey: RsaPublicKey,
  format: SignatureFormat,
): SignatureFault | undefined {
  if (signature.length !== publicKey.modulus.length) return 'length';
  if (verifySignature(payload, signature, publicKey, format)) return undefined;
  const signed = contentOf(signature, publicKey);
  if (signed === undefined) return 'key-or-padding';
  const digest = createHash('sha256').update(payload).digest();
  const twice = [digest, digestInfoOf(digest)].map((input) =>
    digestInfoOf(createHash('sha256').update(input).digest()),
  );
  if (signed.equals(digest)) return 'bare-digest';
  return twice.some((other) => signed.equals(other)) ? 'hashed-twice' : 'other-content';
}

/** Returns the bytes below the PKCS#1 v1.5 type 1 padding. */
function contentOf(signature: Uint8Array, { keyObject }: RsaPublicKey): Buffer | undefined {
  try {
    return publicDecrypt({ key: keyObject, padding: constants.RSA_PKCS1_PADDING }, signature);
  } catch {
    // OpenSSL throws if the padding is invalid.
    return undefined;
  }
}
