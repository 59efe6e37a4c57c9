import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import type { SignatureFault } from '../../core/signing/explain-signature.ts';

/** Problem of a signature, and what to do about it. */
export interface SignerFailure {
  readonly problem: string;
  readonly hint: string;
}

/** Describes what is wrong with a signature. */
export function faultText(
  fault: SignatureFault,
  signature: Buffer,
  { modulus, fingerprint }: RsaPublicKey,
): SignerFailure {
  switch (fault) {
    case 'length': {
      const isText = /^[\x20-\x7e\s]+$/.test(signature.toString('latin1'));
      return {
        problem: `it has ${signature.length} bytes, but a signature of this key has ${modulus.length} bytes`,
        hint: isText
          ? 'Decode the signature: it must be raw bytes, not Base64, hexadecimal or JSON text.'
          : 'Use the raw signature alone, made with the private key that matches the public key.',
      };
    }
    case 'key-or-padding':
      return {
        problem: `it was not made with the key ${fingerprint} and PKCS#1 v1.5 padding`,
        hint: 'Select the private key that matches the public key, and RSASSA-PKCS1-v1_5 with SHA-256, not RSA-PSS.',
      };
    case 'bare-digest':
      return {
        problem: 'it covers the bare digest, because its program adds no DigestInfo',
        hint: 'Use the signer input digest-info.',
      };
    case 'hashed-twice':
      return {
        problem: 'it covers the hash of the digest, because its program hashes its input',
        hint: 'Use the signer input payload.',
      };
    case 'other-content':
      return {
        problem: 'it covers different bytes or uses a different hash than SHA-256',
        hint: 'Sign exactly the bytes that ota-hooks passes to the program or writes for it, with SHA-256.',
      };
  }
}
