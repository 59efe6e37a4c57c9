import { createHash, type KeyObject } from 'node:crypto';

/** Returns the SHA-256 of a public key's DER SubjectPublicKeyInfo in lower-case hex, which identifies a key in this project. */
export function fingerprintOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
