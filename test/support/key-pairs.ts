import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A pair as the files hold it. */
export interface PemPair {
  readonly privatePem: string;
  readonly publicPem: string;
}

/** An RSA pair as `ota-hooks keygen` writes it; 1024 bits are made in a few milliseconds. */
export function rsaPems(bits = 1024): PemPair {
  return pems(generateKeyPairSync('rsa', { modulusLength: bits }));
}

/** Keys that are sound and no device can use, each of another kind. */
export function wrongKinds(): Readonly<Record<'EC' | 'ED25519' | 'RSA-PSS' | 'DSA' | 'X25519', PemPair>> {
  return {
    EC: pems(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    ED25519: pems(generateKeyPairSync('ed25519')),
    'RSA-PSS': pems(generateKeyPairSync('rsa-pss', { modulusLength: 1024 })),
    DSA: pems(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })),
    X25519: pems(generateKeyPairSync('x25519')),
  };
}

function pems({ privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }): PemPair {
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}
