import { OtaError } from '../../errors/ota-error.ts';
import { privateKeyInside } from '../firmware/private-keys.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';

/**
 * Checks that an image does not contain the private key that signs it, as PEM or DER. Every device and every download would disclose the key.
 *
 * @param content image after gunzip
 * @throws OtaError PRIVATE_KEY_INSIDE
 */
export function requireNoSigningKey(content: Uint8Array, key: RsaPublicKey, path: string): void {
  if (privateKeyInside(content, [key]) === 'signing-key') throw new OtaError('PRIVATE_KEY_INSIDE', { path });
}
