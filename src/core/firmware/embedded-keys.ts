import { createPublicKey } from 'node:crypto';
import { findGuard } from '../keys/guard-record.ts';
import { describePublicKey, type RsaPublicKey } from '../keys/public-key.ts';
import { type DerElement, derTags, readDerElement, unsignedInteger } from './der.ts';
import type { Finding, Reading } from './finding.ts';

/** RSA public key in an image. The device may verify updates with the key, or use it for a different purpose such as TLS pinning. */
export interface EmbeddedKey {
  readonly encoding: 'pem' | 'der' | 'modulus';
  /** Structure that contains the key. A DER key inside a DER certificate is reported as `public-key`. */
  readonly container: 'public-key' | 'rsa-public-key' | 'certificate' | 'guard';
  /** Offset of `-----BEGIN`, of the outermost SEQUENCE or of the guard record in the content. */
  readonly offset: number;
  readonly key: RsaPublicKey;
}

// Limits for crafted content. Real images contain a handful of keys; a store of all root certificates contains about 150.
const mostKeys = 512;
const mostPemMarkers = 4096;
const mostModulusBeginnings = 65_536;
const mostPemBytes = 32 * 1024;
// Limit shared by all three searches, because OpenSSL parses every candidate. Searches find each key of a certificate store twice.
const mostCandidates = 1024;
// A 4096-bit modulus is 513 bytes long. The limit avoids converting larger integers for every candidate.
const mostIntegerBytes = 1024;
// Maximum exponent size. OpenSSL accepts longer exponents for some keys, at 20 times the cost, but no tool generates such keys.
const mostExponentBytes = 8;

/**
 * Finds RSA public keys as PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`, `CERTIFICATE`) and as DER (SubjectPublicKeyInfo, also inside
 * certificates, and PKCS#1, which `BearSSL::PublicKey` also accepts), and as bare moduli in a guard record. Each key is reported once. Other
 * bare moduli, as in BearSSL's trust anchors, are not found.
 */
export function findEmbeddedKeys(content: Uint8Array): Reading<readonly EmbeddedKey[]> {
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.length);
  const budget: Budget = { candidates: mostCandidates };
  const pem = findPemKeys(buffer, budget);
  const der = findDerKeys(buffer, budget);
  const bare = findBareKeys(buffer, budget);
  const guarded = findGuardKeys(content);
  const byFingerprint = new Map<string, EmbeddedKey>();
  for (const found of [...pem.keys, ...der.keys, ...bare.keys, ...guarded]) {
    if (!byFingerprint.has(found.key.fingerprint)) byFingerprint.set(found.key.fingerprint, found);
  }
  const findings = [...pem.findings];
  if (pem.stopped || der.stopped || bare.stopped || budget.candidates === 0) {
    const message = 'too many parts of the content look like keys; the rest was not read';
    findings.push({ id: 'embedded-keys-not-all-read', message });
  }
  return { value: [...byFingerprint.values()].sort((a, b) => a.offset - b.offset), findings };
}

function findGuardKeys(content: Uint8Array): readonly EmbeddedKey[] {
  const guard = findGuard(content);
  return (guard?.keys ?? []).map((key) => ({
    encoding: 'modulus',
    container: 'guard',
    offset: guard?.offset ?? 0,
    key,
  }));
}

/** Remaining work that the searches may do on one image. */
interface Budget {
  candidates: number;
}

interface Scan {
  readonly keys: readonly EmbeddedKey[];
  readonly findings: readonly Finding[];
  readonly stopped: boolean;
}

const pemBegin = '-----BEGIN ';
const pemLabel = /^([A-Z0-9 ]{1,40})-----/;
const pemBody = /^[A-Za-z0-9+/=\s]+$/;

function findPemKeys(buffer: Buffer, budget: Budget): Scan {
  const keys: EmbeddedKey[] = [];
  const findings: Finding[] = [];
  let markers = 0;
  let read = 0;
  let offset = buffer.indexOf(pemBegin, 0, 'latin1');
  while (offset !== -1 && read < mostKeys && markers < mostPemMarkers) {
    markers += 1;
    const next = buffer.indexOf(pemBegin, offset + pemBegin.length, 'latin1');
    // A PEM block ends before the next block begins, so no byte is read twice.
    const end = Math.min(next === -1 ? buffer.length : next, offset + mostPemBytes);
    const block = readPemBlock(buffer.toString('latin1', offset + pemBegin.length, end));
    if (block !== undefined) {
      read += 1;
      const found = keyInPem(block, offset, budget);
      if (found.key !== undefined) keys.push(found.key);
      if (found.finding !== undefined) findings.push(found.finding);
    }
    offset = next;
  }
  return { keys, findings, stopped: offset !== -1 };
}

interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

/** @param text text after `-----BEGIN ` */
function readPemBlock(text: string): PemBlock | undefined {
  const label = pemLabel.exec(text)?.[1];
  if (label === undefined) return undefined;
  const bodyStart = label.length + 5;
  const bodyEnd = text.indexOf(`-----END ${label}-----`, bodyStart);
  if (bodyEnd === -1) return undefined;
  const body = text.slice(bodyStart, bodyEnd);
  return pemBody.test(body) ? { label, der: Buffer.from(body, 'base64') } : { label, der: Buffer.alloc(0) };
}

function keyInPem(
  { label, der }: PemBlock,
  offset: number,
  budget: Budget,
): { readonly key?: EmbeddedKey; readonly finding?: Finding } {
  if (label.endsWith('PRIVATE KEY')) {
    const message = `the content contains a private key (${label}), which every copy of the file discloses`;
    return { finding: { id: 'embedded-private-key', message, offset } };
  }
  switch (label) {
    case 'RSA PUBLIC KEY':
      return withContainer('rsa-public-key', readRsaPublicKey(der, { offset: 0, limit: der.length }, budget), offset);
    case 'CERTIFICATE':
      return withContainer('certificate', firstDerKey(der, budget), offset);
    case 'PUBLIC KEY': {
      const key = firstDerKey(der, budget);
      if (key !== undefined || !isPublicKeyInfo(der)) return withContainer('public-key', key, offset);
      const message = 'the content contains a public key that is not RSA: no device can verify updates with this key';
      return { finding: { id: 'embedded-key-not-rsa', message, offset } };
    }
    default:
      return {};
  }
}

function withContainer(
  container: EmbeddedKey['container'],
  key: RsaPublicKey | undefined,
  offset: number,
): { key?: EmbeddedKey } {
  return key === undefined ? {} : { key: { encoding: 'pem', container, offset, key } };
}

/** Returns true if the DER is a public key of any algorithm: SEQUENCE { SEQUENCE { OID … } BIT STRING }. */
function isPublicKeyInfo(der: Buffer): boolean {
  const outer = readDerElement(der, 0, der.length, derTags.sequence);
  const algorithm = outer && readDerElement(der, outer.contentOffset, outer.endOffset, derTags.sequence);
  if (outer === undefined || algorithm === undefined) return false;
  if (readDerElement(der, algorithm.contentOffset, algorithm.endOffset, derTags.oid) === undefined) return false;
  return readDerElement(der, algorithm.endOffset, outer.endOffset, derTags.bitString) !== undefined;
}

// AlgorithmIdentifier of every RSA key, with its tag and length: SEQUENCE { OID 1.2.840.113549.1.1.1 rsaEncryption, NULL }.
const rsaAlgorithm = Buffer.from('300d06092a864886f70d0101010500', 'hex');

function findDerKeys(buffer: Buffer, budget: Budget): Scan {
  const keys: EmbeddedKey[] = [];
  let read = 0;
  let at = buffer.indexOf(rsaAlgorithm);
  while (at !== -1 && read < mostKeys) {
    const found = readPublicKeyInfo(buffer, at, budget);
    if (found !== undefined) {
      keys.push({ encoding: 'der', container: 'public-key', offset: found.offset, key: found.key });
    }
    read += 1;
    at = buffer.indexOf(rsaAlgorithm, at + rsaAlgorithm.length);
  }
  return { keys, findings: [], stopped: at !== -1 };
}

function firstDerKey(der: Buffer, budget: Budget): RsaPublicKey | undefined {
  return findDerKeys(der, budget).keys[0]?.key;
}

/** @param at offset of the AlgorithmIdentifier; the enclosing SEQUENCE begins two to four bytes before it */
function readPublicKeyInfo(
  buffer: Buffer,
  at: number,
  budget: Budget,
): { readonly offset: number; readonly key: RsaPublicKey } | undefined {
  const bits = readDerElement(buffer, at + rsaAlgorithm.length, buffer.length, derTags.bitString);
  // The first byte of a BIT STRING is its number of unused bits. For a key, this number is 0.
  if (bits === undefined || buffer[bits.contentOffset] !== 0) return undefined;
  const offset = [at - 2, at - 3, at - 4].find((start) => {
    const outer = readDerElement(buffer, start, buffer.length, derTags.sequence);
    return outer?.contentOffset === at && outer.endOffset === bits.endOffset;
  });
  if (offset === undefined) return undefined;
  const key = readRsaPublicKey(buffer, { offset: bits.contentOffset + 1, limit: bits.endOffset }, budget);
  return key && { offset, key };
}

// First bytes of the modulus of a key with 1024 bits or more: INTEGER, with a length field of one or two bytes.
const modulusBeginnings = [Buffer.from('0281', 'hex'), Buffer.from('0282', 'hex')];

/** Finds PKCS#1 keys without an enclosing structure. Also finds keys that are inside a SubjectPublicKeyInfo. */
function findBareKeys(buffer: Buffer, budget: Budget): Scan {
  const keys: EmbeddedKey[] = [];
  let read = 0;
  let seen = 0;
  for (const beginning of modulusBeginnings) {
    let at = buffer.indexOf(beginning);
    for (; at !== -1 && read < mostKeys && seen < mostModulusBeginnings; at = buffer.indexOf(beginning, at + 1)) {
      seen += 1;
      const offset = sequenceBefore(buffer, at);
      if (offset === undefined) continue;
      read += 1;
      const key = readRsaPublicKey(buffer, { offset, limit: buffer.length }, budget);
      if (key !== undefined) keys.push({ encoding: 'der', container: 'rsa-public-key', offset, key });
    }
    if (at !== -1) return { keys, findings: [], stopped: true };
  }
  return { keys, findings: [], stopped: false };
}

/** Returns the offset of the SEQUENCE whose content begins at `at`. */
function sequenceBefore(buffer: Buffer, at: number): number | undefined {
  return [at - 3, at - 4].find(
    (offset) => readDerElement(buffer, offset, buffer.length, derTags.sequence)?.contentOffset === at,
  );
}

/** Reads an RSAPublicKey (RFC 8017, A.1.1): SEQUENCE { INTEGER modulus, INTEGER exponent }. */
function readRsaPublicKey(
  buffer: Buffer,
  { offset, limit }: { readonly offset: number; readonly limit: number },
  budget: Budget,
): RsaPublicKey | undefined {
  const outer = readDerElement(buffer, offset, limit, derTags.sequence);
  const modulus = outer && readDerElement(buffer, outer.contentOffset, outer.endOffset, derTags.integer);
  const exponent = modulus && readDerElement(buffer, modulus.endOffset, outer.endOffset, derTags.integer);
  if (modulus === undefined || exponent === undefined) return undefined;
  if (sizeOf(modulus) > mostIntegerBytes || sizeOf(exponent) > mostIntegerBytes) return undefined;
  const e = unsignedInteger(buffer, exponent);
  if (e.length > mostExponentBytes || budget.candidates === 0) return undefined;
  budget.candidates -= 1;
  const jwk = { kty: 'RSA', n: base64Url(unsignedInteger(buffer, modulus)), e: base64Url(e) };
  try {
    return describePublicKey(createPublicKey({ key: jwk, format: 'jwk' }), 'an embedded key');
  } catch {
    // The numbers do not form an RSA key, or devices do not support the key size.
    return undefined;
  }
}

function sizeOf({ contentOffset, endOffset }: DerElement): number {
  return endOffset - contentOffset;
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
