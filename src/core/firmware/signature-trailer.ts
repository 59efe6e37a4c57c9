import { constants, publicDecrypt } from 'node:crypto';
import type { RsaPublicKey } from '../keys/public-key.ts';
import { verifySignature } from '../keys/verify.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import type { Finding, Reading } from './finding.ts';
import { wordAt } from './little-endian.ts';

/** payload ‖ signature ‖ 32-bit little-endian length of the signature (`signing.py`; `UpdaterClass::end`). */
export interface SignatureTrailer {
  /** Of the signature in the file; equal to the payload's size. */
  readonly offset: number;
  /** The value of the last word. */
  readonly signatureBytes: number;
  /** Bits of the RSA key that can have made it: eight times `signatureBytes`. */
  readonly keyBits: number;
  readonly signature: Uint8Array;
  /** `unverified` when none of the known keys made it. */
  readonly format: SignatureFormat | 'unverified';
  /** The known key that verifies it. */
  readonly verifiedBy: RsaPublicKey | undefined;
}

const lengthWordBytes = 4;
const sectorBytes = 4096;

// RSA of 1024 to 4096 bits: what a key can be here and what BearSSL takes.
const fewestSignatureBytes = 128;
const mostSignatureBytes = 512;
// Sizes that keys have in practice: asked for where nothing else confirms that a trailer is there.
const usualSignatureBytes: ReadonlySet<number> = new Set([128, 192, 256, 384, 512]);
// SHA-256 digest without DigestInfo: what cores up to 2.5.2 sign.
const bareDigestBytes = 32;
// Decrypting is a third of a millisecond at most, but the keys in hostile content are as many as their author likes.
const mostKeysTried = 64;
const mostHashes = 4;

/**
 * Finds the trailer of a file.
 *
 * @param payloadBytes where the payload ends by its own structure (segment table, gzip member), or undefined when the
 *   file does not tell: then only a usual length word counts, or a known key that made the signature
 */
export function findTrailer(
  file: Uint8Array,
  payloadBytes: number | undefined,
  knownKeys: readonly RsaPublicKey[],
): Reading<SignatureTrailer | undefined> {
  if (payloadBytes === file.length) return { value: undefined, findings: [] };
  const signatureBytes = wordAt(file, file.length - lengthWordBytes);
  if (signatureBytes === undefined || !isPlausibleLength(file, signatureBytes)) {
    return { value: undefined, findings: implausibleLength(file, payloadBytes, signatureBytes) };
  }
  const offset = file.length - lengthWordBytes - signatureBytes;
  if (payloadBytes !== undefined && payloadBytes > offset) return { value: undefined, findings: [] };

  const signature = file.subarray(offset, offset + signatureBytes);
  const verdict = findSigner(file.subarray(0, offset), signature, knownKeys);
  const confirmed = verdict.key !== undefined || offset === payloadBytes;
  if (!confirmed && !looksSigned(file, signatureBytes)) return { value: undefined, findings: [] };
  const trailer: SignatureTrailer = {
    offset,
    signatureBytes,
    keyBits: signatureBytes * 8,
    signature,
    format: verdict.format,
    verifiedBy: verdict.key,
  };
  if (verdict.key !== undefined || knownKeys.length === 0) return { value: trailer, findings: [] };
  const keys = knownKeys.length === 1 ? 'the known key' : `any of the ${knownKeys.length} known keys`;
  const message = `there is an RSA-${trailer.keyBits} signature, but it is not one of this payload by ${keys}`;
  return { value: trailer, findings: [{ id: 'signature-unverified', message, offset }] };
}

function isPlausibleLength(file: Uint8Array, signatureBytes: number): boolean {
  if (signatureBytes < fewestSignatureBytes || signatureBytes > mostSignatureBytes) return false;
  return file.length > signatureBytes + lengthWordBytes;
}

/** Filesystem images are whole sectors, so one that ends with such a word by chance is not taken for a signed one. */
function looksSigned(file: Uint8Array, signatureBytes: number): boolean {
  return usualSignatureBytes.has(signatureBytes) && file.length % sectorBytes !== 0;
}

/** Worth a word only where something follows the payload, and the last word looks like a spoilt length. */
function implausibleLength(
  file: Uint8Array,
  payloadBytes: number | undefined,
  signatureBytes: number | undefined,
): readonly Finding[] {
  if (payloadBytes === undefined || signatureBytes === undefined) return [];
  const following = file.length - payloadBytes;
  if (!usualSignatureBytes.has(following - lengthWordBytes)) return [];
  const message = `${following} bytes follow the payload, as many as a signature and its length have, but the last word says ${signatureBytes}`;
  return [{ id: 'signature-length-implausible', message, offset: file.length - lengthWordBytes }];
}

interface Verdict {
  readonly format: SignatureFormat | 'unverified';
  readonly key: RsaPublicKey | undefined;
}

/**
 * Padding is looked at first: it costs no hash of the payload, and only the right key gives any. Keys made for the
 * purpose (exponent 1) give it too, so the hashes are counted.
 */
function findSigner(payload: Uint8Array, signature: Uint8Array, knownKeys: readonly RsaPublicKey[]): Verdict {
  const candidates = knownKeys
    .slice(0, mostKeysTried)
    .map((key) => ({ key, format: formatByPadding(signature, key) }))
    .filter(({ format }) => format !== undefined)
    .slice(0, mostHashes);
  for (const { key, format } of candidates) {
    if (format !== undefined && verifies(payload, signature, key, format)) return { format, key };
  }
  return { format: 'unverified', key: undefined };
}

function formatByPadding(signature: Uint8Array, key: RsaPublicKey): SignatureFormat | undefined {
  if (key.modulus.length !== signature.length) return undefined;
  try {
    const padded = publicDecrypt({ key: key.keyObject, padding: constants.RSA_PKCS1_PADDING }, signature);
    return padded.length === bareDigestBytes ? 'legacy' : 'current';
  } catch {
    // OpenSSL throws for padding that is none: another key made the signature.
    return undefined;
  }
}

function verifies(payload: Uint8Array, signature: Uint8Array, key: RsaPublicKey, format: SignatureFormat): boolean {
  try {
    return verifySignature(payload, signature, key, format);
  } catch {
    // A key of hostile numbers, which OpenSSL refuses to compute with.
    return false;
  }
}
