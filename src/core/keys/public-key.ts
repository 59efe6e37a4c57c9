import { createPublicKey, type KeyObject } from 'node:crypto';
import { OtaError } from '../../errors/ota-error.ts';
import { parsePrivateDer, parsePublicDer } from './der-keys.ts';
import { fingerprintOf } from './fingerprint.ts';
import { keyMaterial } from './key-encoding.ts';

/** Smallest and largest modulus that devices support, in bits. BearSSL's limit is 4096. */
export const minKeyBits = 1024;
export const maxKeyBits = 4096;

/** RSA public key that a device can verify signatures with. */
export interface RsaPublicKey {
  readonly bits: number;
  /** Fingerprint: SHA-256 of the DER SubjectPublicKeyInfo, lower-case hex. */
  readonly fingerprint: string;
  /** Public key as PEM (SubjectPublicKeyInfo) in the format of `openssl rsa -pubout`: lines of 64 characters, LF and a final newline. */
  readonly pem: string;
  /** Modulus, big-endian, without leading zeros. */
  readonly modulus: Uint8Array;
  /**
   * Hides the Node.js types from the package's declarations.
   *
   * @internal
   */
  readonly keyObject: KeyObject;
}

/**
 * Reads a public key from PEM or DER: SubjectPublicKeyInfo (`PUBLIC KEY`), PKCS#1 (`RSA PUBLIC KEY`) or a certificate.
 *
 * @param name key name for error messages, usually its path
 * @throws OtaError KEY_EMPTY, KEY_FORM_UNSUPPORTED, KEY_IS_PRIVATE, KEY_GARBLED, KEY_WRONG_TYPE, KEY_WRONG_SIZE
 */
export function readPublicKey(pem: string | Uint8Array, name: string): RsaPublicKey {
  const material = keyMaterial(pem, name, 'public');
  if (material.format === 'der') return describePublicKey(parseDer(material.bytes, name), name);
  const { text } = material;
  if (text.trim() === '') throw new OtaError('KEY_EMPTY', { path: name, kind: 'public' });
  if (text.includes('PRIVATE KEY-----')) throw new OtaError('KEY_IS_PRIVATE', { path: name });
  return describePublicKey(parse(text, name), name);
}

/**
 * Checks the type and size of a public key and returns its properties.
 *
 * @internal
 *
 * @param keyObject public key of any type
 * @throws OtaError KEY_WRONG_TYPE if the key is not an RSA key (EC keys lock devices out), KEY_WRONG_SIZE
 */
export function describePublicKey(keyObject: KeyObject, name: string): RsaPublicKey {
  const type = keyObject.asymmetricKeyType ?? 'unknown';
  if (type !== 'rsa') throw new OtaError('KEY_WRONG_TYPE', { path: name, type });
  const modulus = Buffer.from(keyObject.export({ format: 'jwk' }).n ?? '', 'base64url');
  const bits = keyObject.asymmetricKeyDetails?.modulusLength ?? modulus.length * 8;
  if (bits < minKeyBits || bits > maxKeyBits) throw new OtaError('KEY_WRONG_SIZE', { path: name, bits });
  return {
    bits,
    fingerprint: fingerprintOf(keyObject),
    pem: keyObject.export({ type: 'spki', format: 'pem' }).toString(),
    modulus,
    keyObject,
  };
}

function parse(text: string, name: string): KeyObject {
  try {
    return createPublicKey(text);
  } catch (cause) {
    throw new OtaError('KEY_GARBLED', { path: name, kind: 'public' }, cause);
  }
}

function parseDer(bytes: Buffer, name: string): KeyObject {
  if (parsePrivateDer(bytes) !== undefined) throw new OtaError('KEY_IS_PRIVATE', { path: name });
  const key = parsePublicDer(bytes);
  if (key === undefined) throw new OtaError('KEY_GARBLED', { path: name, kind: 'public' });
  return key;
}
