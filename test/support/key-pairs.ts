import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A key pair in PEM. */
export interface PemPair {
  readonly privatePem: string;
  readonly publicPem: string;
}

const folder = fileURLToPath(new URL('../../build/test-keys/', import.meta.url));
const usedPairs = new Map<number, number>();

/**
 * Returns an RSA pair that this process has not used yet, as `ota-hooks keygen` writes it. Pairs are shared between test processes and
 * runs, because generateKeyPairSync took 13 of 570 s in a CPU profile of `npm test`.
 */
export function rsaPems(bits = 1024): PemPair {
  const number = usedPairs.get(bits) ?? 0;
  usedPairs.set(bits, number + 1);
  const path = `${folder}${bits}-${number}.pem`;
  try {
    return pems(readFileSync(path, 'utf8'));
  } catch {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
    const pem = pemOf(privateKey);
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${path}.${process.pid}`, pem, { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
    return pems(pem);
  }
}

/** Returns a pair like {@link rsaPems}, as node:crypto objects. */
export function rsaKeyObjects(bits?: number): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  const { privatePem, publicPem } = rsaPems(bits);
  return { privateKey: createPrivateKey(privatePem), publicKey: createPublicKey(publicPem) };
}

/** Creates valid keys of types that devices cannot use. */
export function wrongKinds(): Readonly<Record<'EC' | 'ED25519' | 'RSA-PSS' | 'DSA' | 'X25519', PemPair>> {
  return {
    EC: pems(pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)),
    ED25519: pems(pemOf(generateKeyPairSync('ed25519').privateKey)),
    'RSA-PSS': pems(pemOf(generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).privateKey)),
    DSA: pems(pemOf(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey)),
    X25519: pems(pemOf(generateKeyPairSync('x25519').privateKey)),
  };
}

function pemOf(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function pems(privatePem: string): PemPair {
  return { privatePem, publicPem: createPublicKey(privatePem).export({ type: 'spki', format: 'pem' }).toString() };
}
