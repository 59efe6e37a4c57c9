import { constants, createHash, privateEncrypt, sign } from 'node:crypto';
import type { RsaPrivateKey } from '../keys/private-key.ts';
import type { Signer } from './signer.ts';

/** Creates a signer for a private key held in this process. The signer uses OpenSSL's constant-time code through node:crypto. */
export function keyFileSigner(privateKey: RsaPrivateKey): Signer {
  const key = privateKey.keyObject;
  return {
    publicKey: privateKey.publicKey,
    async sign(payload, format) {
      switch (format) {
        case 'current':
          return sign('sha256', payload, key);
        case 'legacy': {
          const digest = createHash('sha256').update(payload).digest();
          return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digest);
        }
      }
    },
  };
}
