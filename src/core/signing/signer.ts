import type { RsaPublicKey } from '../keys/public-key.ts';
import type { SignatureFormat } from '../model/artifact.ts';

/**
 * Source of signatures: a key file, an external command or a token. A signer receives the payload instead of a digest, because some
 * tokens compute the digest themselves. Each signature is verified with {@link Signer.publicKey} before it is used.
 */
export interface Signer {
  readonly publicKey: RsaPublicKey;
  /**
   * Checks that the signer can make signatures in a format, before it is asked for any signature. Absent if it can make all of them.
   *
   * @throws OtaError SIGNER_NO_LEGACY
   */
  requireFormat?(format: SignatureFormat): void;
  /** Returns the raw signature. The signature is as long as the key's modulus. */
  sign(payload: Uint8Array, format: SignatureFormat): Promise<Uint8Array>;
}
