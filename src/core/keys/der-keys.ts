import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';

/** Parses a private key in DER: PKCS#8, PKCS#1 or SEC 1. Returns undefined for anything else, and for a wrong passphrase. */
export function parsePrivateDer(key: Buffer, passphrase?: string): KeyObject | undefined {
  const secret = passphrase === undefined ? {} : { passphrase };
  return firstThatWorks(
    (['pkcs8', 'pkcs1', 'sec1'] as const).map(
      (type) => () => createPrivateKey({ key, format: 'der', type, ...secret }),
    ),
  );
}

/** Parses a public key in DER: SubjectPublicKeyInfo, PKCS#1 or a certificate. Returns undefined for anything else. */
export function parsePublicDer(key: Buffer): KeyObject | undefined {
  return firstThatWorks([
    () => createPublicKey({ key, format: 'der', type: 'spki' }),
    () => createPublicKey({ key, format: 'der', type: 'pkcs1' }),
    () => new X509Certificate(key).publicKey,
  ]);
}

function firstThatWorks(parsers: readonly (() => KeyObject)[]): KeyObject | undefined {
  for (const parse of parsers) {
    try {
      return parse();
    } catch {
      // The key has a different structure.
    }
  }
  return undefined;
}
