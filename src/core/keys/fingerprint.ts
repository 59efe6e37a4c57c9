import { createHash, type KeyObject } from 'node:crypto';

/** Returns the fingerprint of a public key: the SHA-256 of its DER SubjectPublicKeyInfo in lower-case hex. */
export function fingerprintOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
