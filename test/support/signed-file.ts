import { constants, createHash, createPublicKey, type KeyObject, privateEncrypt, randomBytes, sign } from 'node:crypto';
import { describePublicKey, type RsaPublicKey } from '../../src/core/keys/public-key.ts';
import type { SignatureFormat } from '../../src/core/model/artifact.ts';
import { concatBytes, setWord } from './image-builder.ts';
import { rsaKeyObjects } from './key-pairs.ts';

/** A key pair for tests. */
export interface TestKeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: RsaPublicKey;
}

/** Creates a pair, by default of 1024 bits, because no test depends on its strength. */
export function makeKeyPair(bits = 1024): TestKeyPair {
  const { privateKey, publicKey } = rsaKeyObjects(bits);
  return { privateKey, publicKey: describePublicKey(publicKey, 'a key of the tests') };
}

/** Creates a public key of any length quickly: its modulus is a random odd number, so no private key matches it. */
export function madeUpPublicKey(bits: number): RsaPublicKey {
  const modulus = randomBytes(Math.ceil(bits / 8));
  const topBit = 1 << ((bits - 1) % 8);
  modulus[0] = ((modulus[0] ?? 0) & (topBit - 1)) | topBit;
  modulus[modulus.length - 1] = (modulus.at(-1) ?? 0) | 1;
  const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' };
  return describePublicKey(createPublicKey({ key: jwk, format: 'jwk' }), 'a made-up key of the tests');
}

/** Appends a signature and its length to the payload, with node:crypto only. */
export function signFile(payload: Uint8Array, privateKey: KeyObject, format: SignatureFormat): Uint8Array {
  const signature = format === 'current' ? sign('sha256', payload, privateKey) : signBareDigest(payload, privateKey);
  return withTrailer(payload, signature, signature.length);
}

/** Appends the signature bytes and the length word to the payload without checking them. */
export function withTrailer(payload: Uint8Array, signature: Uint8Array, lengthWord: number): Uint8Array {
  const word = new Uint8Array(4);
  setWord(word, 0, lengthWord);
  return concatBytes(payload, signature, word);
}

function signBareDigest(payload: Uint8Array, key: KeyObject): Buffer {
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, createHash('sha256').update(payload).digest());
}
