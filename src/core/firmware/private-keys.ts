/** Detects private keys by their bytes. OpenSSL never parses an uploaded key, because parsing a crafted 64 KB DSA key would take hours. */

import type { RsaPublicKey } from '../keys/public-key.ts';
import { derTags, readDerElement } from './der.ts';

/** Maximum size of a private key file in bytes. A larger file is treated as an artifact. */
export const largestKeyFileBytes = 64 * 1024;

const marker = 'PRIVATE KEY-----';
/** Maximum distance from `-----BEGIN` to the end of the longest label. */
const mostBeginBytes = 40;
/** Maximum size of a PEM body in bytes. A 16,384-bit RSA key is 12.7 KB long in Base64. */
const mostBodyBytes = 16 * 1024;

/** Returns true if these bytes are a private key file (PEM or DER). An image that contains a key is not a key file. */
export function isPrivateKeyFile(bytes: Uint8Array): boolean {
  if (bytes.length > largestKeyFileBytes) return false;
  const text = Buffer.from(bytes).toString('latin1');
  if (text.includes(marker) && text.trimStart().startsWith('-----BEGIN')) return true;
  return isDerKey(bytes);
}

/**
 * Searches an image for private keys, in linear time. A sketch may contain its own TLS key. A private signing key in an image would allow
 * anyone with the image to sign updates.
 *
 * @param content content after gunzip
 * @returns signing-key: one of the project's private keys; other: any other private key; undefined: no private key
 */
export function privateKeyInside(
  content: Uint8Array,
  projectKeys: readonly RsaPublicKey[],
): 'signing-key' | 'other' | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const holdsProjectKey = (der: Buffer) => projectKeys.some(({ modulus }) => holdsDerKeyOf(der, modulus));
  if (holdsProjectKey(bytes)) return 'signing-key';
  let found: 'other' | undefined;
  for (const body of pemBodies(bytes)) {
    if (holdsProjectKey(body)) return 'signing-key';
    found = 'other';
  }
  return found;
}

/** Decodes the DER between the markers of each PEM private key. A PEM body ends at the next marker, so no byte is decoded twice. */
function* pemBodies(bytes: Buffer): Generator<Buffer> {
  let at = bytes.indexOf(marker);
  while (at >= 0) {
    const start = at + marker.length;
    const next = bytes.indexOf(marker, start);
    const isBegin = bytes.subarray(Math.max(0, at - mostBeginBytes), at).includes('-----BEGIN ');
    if (isBegin)
      yield decodeBody(bytes.subarray(start, Math.min(next < 0 ? bytes.length : next, start + mostBodyBytes)));
    at = next;
  }
}

/** Decodes Base64 with line breaks. In a JSON string, each line break is an escape sequence of two characters. */
function decodeBody(body: Buffer): Buffer {
  return Buffer.from(body.toString('latin1').replace(/\\[nr]/g, ''), 'base64');
}

/** Searches for a PKCS#1 key, bare or inside PKCS#8. In a private key, the modulus follows the version 0. A public key has no version. */
function holdsDerKeyOf(bytes: Buffer, modulus: Uint8Array): boolean {
  const lengthBytes = modulus.length + 1;
  const length = lengthBytes < 256 ? [0x81, lengthBytes] : [0x82, lengthBytes >> 8, lengthBytes & 0xff];
  return bytes.includes(Buffer.from([2, 1, 0, 2, ...length, 0, ...modulus]));
}

/**
 * Returns true if the bytes begin like PKCS#1, PKCS#8 or SEC 1: SEQUENCE { INTEGER version, … }, followed by INTEGER, SEQUENCE or OCTET
 * STRING.
 */
function isDerKey(bytes: Uint8Array): boolean {
  const outer = readDerElement(bytes, 0, bytes.length, derTags.sequence);
  if (outer === undefined) return false;
  const version = readDerElement(bytes, outer.contentOffset, outer.endOffset, derTags.integer);
  if (version === undefined || version.endOffset - version.contentOffset !== 1) return false;
  if ((bytes[version.contentOffset] ?? 0) > 1) return false;
  const following = [derTags.integer, derTags.sequence, derTags.octetString];
  return following.some((tag) => readDerElement(bytes, version.endOffset, outer.endOffset, tag) !== undefined);
}
