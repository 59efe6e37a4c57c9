import { constants, createHash, generateKeyPairSync, type KeyObject, privateEncrypt, sign } from 'node:crypto';
import type { SignatureFormat } from '../../src/domain/artefact.ts';
import { describePublicKey, type RsaPublicKey } from '../../src/keys/public-key.ts';
import { concatBytes, setWord } from './image-builder.ts';

/** A key pair of a test. */
export interface TestKeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: RsaPublicKey;
}

/** 1024 bits are made in a few milliseconds; no test depends on their strength. */
export function makeKeyPair(bits = 1024): TestKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return { privateKey, publicKey: describePublicKey(publicKey, 'a key of the tests') };
}

/** payload, signature and its length, made with nothing but node:crypto. */
export function signFile(payload: Uint8Array, privateKey: KeyObject, format: SignatureFormat): Uint8Array {
  const signature = format === 'current' ? sign('sha256', payload, privateKey) : signBareDigest(payload, privateKey);
  return withTrailer(payload, signature, signature.length);
}

/** The same with any signature bytes and any length word. */
export function withTrailer(payload: Uint8Array, signature: Uint8Array, lengthWord: number): Uint8Array {
  const word = new Uint8Array(4);
  setWord(word, 0, lengthWord);
  return concatBytes(payload, signature, word);
}

function signBareDigest(payload: Uint8Array, key: KeyObject): Buffer {
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, createHash('sha256').update(payload).digest());
}
