import type { RsaPublicKey } from '../keys/public-key.ts';
import type { SignatureFormat } from '../model/artifact.ts';

/**
 * Whatever can make a signature: a key file, an external command, a token. It is handed the payload rather than a digest, because
 * some tokens insist on hashing for themselves; what it returns is checked with {@link Signer.publicKey} before anyone sees it.
 */
export interface Signer {
  readonly publicKey: RsaPublicKey;
  /** The bare signature, as long as the modulus. */
  sign(payload: Uint8Array, format: SignatureFormat): Promise<Uint8Array>;
}
