/**
 * Private keys are found by their bytes. OpenSSL never parses an uploaded one: reading a DSA key of 8 KB takes it 2 s, of 64 KB hours.
 */

import type { RsaPublicKey } from '../keys/public-key.ts';
import { derTags, readDerElement } from './der.ts';

/** A larger file is an artifact. */
export const largestKeyFileBytes = 64 * 1024;

const marker = 'PRIVATE KEY-----';
/** From `-----BEGIN` to the marker, with the longest label between them. */
const mostBeginBytes = 40;
/** The Base64 of an RSA key of 16,384 bits has 12.7 KB. */
const mostBodyBytes = 16 * 1024;

/** Whether these bytes are the file of a private key, PEM or DER, and nothing else. */
export function isPrivateKeyFile(bytes: Uint8Array): boolean {
  if (bytes.length > largestKeyFileBytes) return false;
  const text = Buffer.from(bytes).toString('latin1');
  if (text.includes(marker) && text.trimStart().startsWith('-----BEGIN')) return true;
  return isDerKey(bytes);
}

/**
 * Searches an image for private keys, in linear time. A sketch may hold its own key (for TLS). The private half of the project's signing
 * key would let everyone who has the image sign updates.
 *
 * @param content after gunzip
 * @returns signing-key: the private half of one of the project's keys; other: any other private key
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

/** The DER between the markers of each PEM private key. A body ends at the next marker at the latest, so no byte is decoded twice. */
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

/** Base64 with line breaks, which are two characters each where the PEM is a JSON string. */
function decodeBody(body: Buffer): Buffer {
  return Buffer.from(body.toString('latin1').replace(/\\[nr]/g, ''), 'base64');
}

/** PKCS#1, also inside PKCS#8: after the version, which is 0, comes the modulus. A public key has no version before it. */
function holdsDerKeyOf(bytes: Buffer, modulus: Uint8Array): boolean {
  const lengthBytes = modulus.length + 1;
  const length = lengthBytes < 256 ? [0x81, lengthBytes] : [0x82, lengthBytes >> 8, lengthBytes & 0xff];
  return bytes.includes(Buffer.from([2, 1, 0, 2, ...length, 0, ...modulus]));
}

/** SEQUENCE { INTEGER version, … }, as PKCS#1 (INTEGER follows), PKCS#8 (SEQUENCE) and SEC 1 (OCTET STRING) begin. */
function isDerKey(bytes: Uint8Array): boolean {
  const outer = readDerElement(bytes, 0, bytes.length, derTags.sequence);
  if (outer === undefined) return false;
  const version = readDerElement(bytes, outer.contentOffset, outer.endOffset, derTags.integer);
  if (version === undefined || version.endOffset - version.contentOffset !== 1) return false;
  if ((bytes[version.contentOffset] ?? 0) > 1) return false;
  const following = [derTags.integer, derTags.sequence, derTags.octetString];
  return following.some((tag) => readDerElement(bytes, version.endOffset, outer.endOffset, tag) !== undefined);
}
