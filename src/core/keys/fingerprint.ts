import { createHash, type KeyObject } from 'node:crypto';

/** SHA-256 of a public key's DER SubjectPublicKeyInfo, lower-case hex: the name of a key everywhere in this project. */
export function fingerprintOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
