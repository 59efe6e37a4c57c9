import { constants, createHash, publicDecrypt, timingSafeEqual, verify } from 'node:crypto';
import type { SignatureFormat } from '../model/artifact.ts';
import type { RsaPublicKey } from './public-key.ts';

/**
 * Returns true if the signature is valid for the payload. The formats:
 *
 * current (core 2.6.0 and later): RSASSA-PKCS1-v1_5 over SHA-256, `SigningVerifier::verify` in BearSSLHelpers.cpp.
 * legacy (2.5.x): PKCS#1 v1.5 type 1 padding of the bare digest, no DigestInfo (esp8266/Arduino#6250).
 */
export function verifySignature(
  payload: Uint8Array,
  signature: Uint8Array,
  publicKey: RsaPublicKey,
  format: SignatureFormat,
): boolean {
  switch (format) {
    case 'current':
      return verify('sha256', payload, publicKey.keyObject, signature);
    case 'legacy':
      return verifyLegacy(payload, signature, publicKey);
  }
}

function verifyLegacy(payload: Uint8Array, signature: Uint8Array, publicKey: RsaPublicKey): boolean {
  const digest = createHash('sha256').update(payload).digest();
  try {
    const signed = publicDecrypt({ key: publicKey.keyObject, padding: constants.RSA_PKCS1_PADDING }, signature);
    return signed.length === digest.length && timingSafeEqual(signed, digest);
  } catch {
    // OpenSSL throws if the length or the padding is invalid, which means that a different key made the signature.
    return false;
  }
}
