import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { OtaError } from '../../errors/ota-error.ts';
import { parsePrivateDer, parsePublicDer } from './der-keys.ts';
import { keyMaterial } from './key-encoding.ts';
import { describePublicKey, type RsaPublicKey } from './public-key.ts';

/** RSA private key, and the public key derived from it. */
export interface RsaPrivateKey {
  /** @internal */
  readonly keyObject: KeyObject;
  readonly publicKey: RsaPublicKey;
}

/**
 * Reads a private key from PEM or DER: PKCS#1 or PKCS#8, encrypted or not.
 *
 * @param name key name for error messages, usually its path
 * @throws OtaError KEY_EMPTY, KEY_FORM_UNSUPPORTED, KEY_IS_PUBLIC, KEY_GARBLED, KEY_ENCRYPTED, KEY_PASSPHRASE_WRONG, KEY_WRONG_TYPE, KEY_WRONG_SIZE
 */
export function readPrivateKey(pem: string | Uint8Array, name: string, passphrase?: string): RsaPrivateKey {
  const material = keyMaterial(pem, name, 'private');
  if (material.format === 'der') {
    const keyObject = parseDer(material.bytes, name, passphrase);
    return { keyObject, publicKey: describePublicKey(createPublicKey(keyObject), name) };
  }
  const { text } = material;
  if (text.trim() === '') throw new OtaError('KEY_EMPTY', { path: name, kind: 'private' });
  if (!text.includes('PRIVATE KEY-----') && text.includes('PUBLIC KEY-----')) {
    throw new OtaError('KEY_IS_PUBLIC', { path: name });
  }
  const keyObject = parse(text, name, passphrase);
  return { keyObject, publicKey: describePublicKey(createPublicKey(keyObject), name) };
}

function parse(text: string, name: string, passphrase: string | undefined): KeyObject {
  const encrypted = text.includes('BEGIN ENCRYPTED PRIVATE KEY') || text.includes('Proc-Type: 4,ENCRYPTED');
  if (encrypted && passphrase === undefined) throw new OtaError('KEY_ENCRYPTED', { path: name });
  try {
    return createPrivateKey(passphrase === undefined ? text : { key: text, passphrase });
  } catch (cause) {
    if (encrypted) throw new OtaError('KEY_PASSPHRASE_WRONG', { path: name }, cause);
    throw new OtaError('KEY_GARBLED', { path: name, kind: 'private' }, cause);
  }
}

/** First bytes of the PKCS#5 object identifiers, which appear near the start of encrypted PKCS#8 keys. */
const pkcs5 = Buffer.from('06092a864886f70d0105', 'hex');

function parseDer(bytes: Buffer, name: string, passphrase: string | undefined): KeyObject {
  const encrypted = bytes.subarray(0, 32).includes(pkcs5);
  if (encrypted && passphrase === undefined) throw new OtaError('KEY_ENCRYPTED', { path: name });
  const key = parsePrivateDer(bytes, passphrase);
  if (key !== undefined) return key;
  if (encrypted) throw new OtaError('KEY_PASSPHRASE_WRONG', { path: name });
  if (parsePublicDer(bytes) !== undefined) throw new OtaError('KEY_IS_PUBLIC', { path: name });
  throw new OtaError('KEY_GARBLED', { path: name, kind: 'private' });
}
