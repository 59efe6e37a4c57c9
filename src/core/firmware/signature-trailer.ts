import { constants, publicDecrypt } from 'node:crypto';
import type { RsaPublicKey } from '../keys/public-key.ts';
import { verifySignature } from '../keys/verify.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import type { Finding, Reading } from './finding.ts';
import { wordAt } from './little-endian.ts';
import { rawMetadata } from './update-metadata.ts';

/** Signature trailer of a file: payload ‖ signature ‖ 32-bit little-endian length of the signature (`signing.py`; `UpdaterClass::end`). */
export interface SignatureTrailer {
  /** Offset of the signature in the file. Equal to the size of the payload. */
  readonly offset: number;
  /** Signature length in bytes, from the last word of the file. */
  readonly signatureBytes: number;
  /** Size of the RSA key in bits. Equal to eight times `signatureBytes`. */
  readonly keyBits: number;
  readonly signature: Uint8Array;
  /** Signature format; `unverified` if no available key verifies the signature. */
  readonly format: SignatureFormat | 'unverified';
  /** Key that verifies the signature. */
  readonly verifiedBy: RsaPublicKey | undefined;
}

const lengthWordBytes = 4;
const sectorBytes = 4096;

// Signature lengths for RSA keys of 1024 to 4096 bits, the sizes that this project and BearSSL support.
const fewestSignatureBytes = 128;
const mostSignatureBytes = 512;
// Signature lengths of common key sizes. A trailer must have a common length if nothing else confirms it.
const usualSignatureBytes: ReadonlySet<number> = new Set([128, 192, 256, 384, 512]);
const bareDigestBytes = 32;
// Maximum number of keys to try. A decryption takes up to a third of a millisecond, and crafted content can contain any number of keys.
const mostKeysTried = 64;
const mostHashes = 4;

/**
 * Finds the signature trailer in a file.
 *
 * @param payloadBytes end of the payload according to its own structure (segment table, gzip member). If undefined, a trailer needs a
 *   common signature length or a key that verifies the signature.
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
  const isEnd = offset === payloadBytes || rawMetadata(file.subarray(0, offset)) !== undefined;
  const confirmed = verdict.key !== undefined || isEnd;
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
  const keys =
    knownKeys.length === 1
      ? 'the public key does not verify this signature'
      : `none of the ${knownKeys.length} public keys verifies this signature`;
  const message = `the file has an RSA-${trailer.keyBits} signature, but ${keys}`;
  return { value: trailer, findings: [{ id: 'signature-unverified', message, offset }] };
}

function isPlausibleLength(file: Uint8Array, signatureBytes: number): boolean {
  if (signatureBytes < fewestSignatureBytes || signatureBytes > mostSignatureBytes) return false;
  return file.length > signatureBytes + lengthWordBytes;
}

/**
 * Checks for a common signature length. A filesystem image consists of whole sectors, so its last word is not interpreted as a signature
 * length.
 */
function looksSigned(file: Uint8Array, signatureBytes: number): boolean {
  return usualSignatureBytes.has(signatureBytes) && file.length % sectorBytes !== 0;
}

/** Reports an incorrect length word if the data after the payload is exactly as long as a signature and its length word. */
function implausibleLength(
  file: Uint8Array,
  payloadBytes: number | undefined,
  signatureBytes: number | undefined,
): readonly Finding[] {
  if (payloadBytes === undefined || signatureBytes === undefined) return [];
  const following = file.length - payloadBytes;
  if (!usualSignatureBytes.has(following - lengthWordBytes)) return [];
  const message = `${following} bytes follow the payload, the size of a signature and its length word, but the last word is ${signatureBytes}`;
  return [{ id: 'signature-length-implausible', message, offset: file.length - lengthWordBytes }];
}

interface Verdict {
  readonly format: SignatureFormat | 'unverified';
  readonly key: RsaPublicKey | undefined;
}

/**
 * Finds the key that made the signature. The padding is checked first, because this check needs no hash of the payload and rules out most
 * keys. Crafted keys (exponent 1) pass the padding check, so the number of hashes is limited.
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
    // OpenSSL throws for invalid padding, which means that the key does not match the signature.
    return undefined;
  }
}

function verifies(payload: Uint8Array, signature: Uint8Array, key: RsaPublicKey, format: SignatureFormat): boolean {
  try {
    return verifySignature(payload, signature, key, format);
  } catch {
    // OpenSSL throws for some crafted keys.
    return false;
  }
}
