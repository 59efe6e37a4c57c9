import { createPrivateKey } from 'node:crypto';
import type { RsaPublicKey } from '../../keys/public-key.ts';

/** A key that is no artefact: the file itself is one. */
const largestKeyFileBytes = 64 * 1024;
const marker = 'PRIVATE KEY-----';

/** Whether these bytes are a private key's file, PEM or DER, and nothing else. */
export function isPrivateKeyFile(bytes: Uint8Array): boolean {
  if (bytes.length > largestKeyFileBytes) return false;
  const text = Buffer.from(bytes).toString('latin1');
  if (text.includes(marker) && text.trimStart().startsWith('-----BEGIN')) return true;
  return (['pkcs8', 'pkcs1'] as const).some((type) => isDerKey(bytes, type));
}

/**
 * Looks for private keys in an image. A sketch may well hold one of its own (for TLS); that of the project's signature in it would give
 * everybody who has the image the power to sign.
 *
 * @param content after gunzip
 * @returns signing-key: one of the project's; other: somebody else's
 */
export function privateKeyInside(
  content: Uint8Array,
  projectKeys: readonly RsaPublicKey[],
): 'signing-key' | 'other' | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (projectKeys.some(({ modulus }) => holdsDerKeyOf(bytes, modulus))) return 'signing-key';
  let found: 'other' | undefined;
  for (const pem of pemKeys(bytes)) {
    const modulus = modulusOf(pem);
    if (modulus !== undefined && projectKeys.some((key) => Buffer.compare(key.modulus, modulus) === 0))
      return 'signing-key';
    found = 'other';
  }
  return found;
}

function* pemKeys(bytes: Buffer): Generator<string> {
  for (let at = bytes.indexOf(marker); at >= 0; at = bytes.indexOf(marker, at + marker.length)) {
    const begin = bytes.lastIndexOf('-----BEGIN ', at);
    const isBegin = begin >= 0 && at - begin < 40;
    if (!isBegin) continue;
    const end = bytes.indexOf(marker, at + marker.length);
    yield bytes.subarray(begin, end < 0 ? begin + 8192 : end + marker.length).toString('latin1');
  }
}

function modulusOf(pem: string): Buffer | undefined {
  try {
    return Buffer.from(createPrivateKey(pem).export({ format: 'jwk' }).n ?? '', 'base64url');
  } catch {
    // Encrypted, damaged, or no RSA key: some other key.
    return undefined;
  }
}

/** PKCS#1: after the version, which is 0, comes the modulus as an integer. A public key has no version before it. */
function holdsDerKeyOf(bytes: Buffer, modulus: Uint8Array): boolean {
  const lengthBytes = modulus.length + 1;
  const length = lengthBytes < 256 ? [0x81, lengthBytes] : [0x82, lengthBytes >> 8, lengthBytes & 0xff];
  return bytes.includes(Buffer.from([2, 1, 0, 2, ...length, 0, ...modulus]));
}

function isDerKey(bytes: Uint8Array, type: 'pkcs1' | 'pkcs8'): boolean {
  try {
    createPrivateKey({ key: Buffer.from(bytes), format: 'der', type });
    return true;
  } catch {
    return false;
  }
}
