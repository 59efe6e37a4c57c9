import { createHash, createPublicKey } from 'node:crypto';
import { OtaError } from '../../errors/ota-error.ts';
import { describePublicKey, type RsaPublicKey } from './public-key.ts';

/** Properties that the generated header compiles into a guarded device. */
export interface Guard {
  /** Keys that the device accepts, in the order in which the device tries them. */
  readonly keys: readonly RsaPublicKey[];
  /** Product, as {@link productHash} returns it. */
  readonly product: Uint8Array;
  readonly securityVersion: number;
  /** `metadata`: the device rejects updates without metadata. `signature`: it accepts them if they are signed. */
  readonly require: 'signature' | 'metadata';
}

/** Guard record in an image. */
export interface FoundGuard extends Guard {
  /** Offset of the record in the content. */
  readonly offset: number;
}

const magic = Buffer.from('OTAGUARD', 'latin1');
const format = 1;
const headBytes = 24;
const keyHeadBytes = 8;
const requirements = ['signature', 'metadata'] as const;
/** Limit for crafted content: each occurrence of the magic can cost several key imports. */
const mostOccurrences = 16;

/** Limits of one verification without a pause: the soft watchdog resets the device after about 3.2 seconds. */
const mostGuardKeys = 8;
const mostLargeGuardKeys = 2;
/** Larger keys count as large. Verification with 2048 bits takes about 0.2 seconds at 80 MHz, with 4096 bits about 0.8 seconds. */
const largestUsualBits = 2048;

/** Returns the first 8 bytes of the SHA-256 of a product name. Names that differ only in their Unicode form are the same product. */
export function productHash(name: string): Uint8Array {
  return createHash('sha256').update(name.normalize('NFC'), 'utf8').digest().subarray(0, 8);
}

/**
 * Returns the record that the generated header contains: the magic `OTAGUARD`, format, requirement, number of keys, security version,
 * product, and for each key its modulus length, exponent and modulus. Lengths are little-endian, keys are big-endian as in BearSSL.
 *
 * @throws OtaError GUARD_KEYS
 */
export function guardRecord(guard: Guard): Uint8Array {
  requireUsableKeys(guard.keys);
  const head = Buffer.alloc(headBytes);
  magic.copy(head);
  head.writeUInt8(format, 8);
  head.writeUInt8(requirements.indexOf(guard.require), 9);
  head.writeUInt8(guard.keys.length, 10);
  head.writeUInt32LE(guard.securityVersion, 12);
  head.set(guard.product, 16);
  return Buffer.concat([head, ...guard.keys.map(keyRecord)]);
}

function keyRecord({ modulus, keyObject }: RsaPublicKey): Buffer {
  const head = Buffer.alloc(keyHeadBytes);
  head.writeUInt32LE(modulus.length, 0);
  head.writeUInt32BE(Number(keyObject.asymmetricKeyDetails?.publicExponent), 4);
  return Buffer.concat([head, modulus]);
}

/** @throws OtaError GUARD_KEYS */
function requireUsableKeys(keys: readonly RsaPublicKey[]): void {
  const large = keys.filter(({ bits }) => bits > largestUsualBits).length;
  const odd = keys.find(({ bits, keyObject }) => {
    const exponent = keyObject.asymmetricKeyDetails?.publicExponent ?? 0n;
    return bits % 32 !== 0 || exponent > 0xffff_ffffn;
  });
  const problem =
    keys.length > mostGuardKeys
      ? `there are ${keys.length} keys, and a device can try at most ${mostGuardKeys}`
      : large > mostLargeGuardKeys
        ? `${large} keys have more than ${largestUsualBits} bits, and a device can try at most ${mostLargeGuardKeys} of them`
        : odd && `a key has ${odd.bits} bits or a large exponent (fingerprint ${odd.fingerprint})`;
  if (problem !== undefined) throw new OtaError('GUARD_KEYS', { problem });
}

/**
 * Finds the guard record in an image.
 *
 * @returns undefined if there is no complete record of a known format
 */
export function findGuard(content: Uint8Array): FoundGuard | undefined {
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.length);
  let at = buffer.indexOf(magic);
  for (let seen = 0; at !== -1 && seen < mostOccurrences; seen++) {
    const found = readGuard(buffer, at);
    if (found !== undefined) return found;
    at = buffer.indexOf(magic, at + magic.length);
  }
  return undefined;
}

function readGuard(buffer: Buffer, offset: number): FoundGuard | undefined {
  if (offset + headBytes > buffer.length || buffer[offset + 8] !== format) return undefined;
  const require = requirements[buffer[offset + 9] ?? -1];
  const count = buffer[offset + 10] ?? 0;
  if (require === undefined || count === 0 || count > mostGuardKeys) return undefined;
  const keys: RsaPublicKey[] = [];
  let at = offset + headBytes;
  while (keys.length < count) {
    const key = readKey(buffer, at);
    if (key === undefined) return undefined;
    keys.push(key);
    at += keyHeadBytes + key.modulus.length;
  }
  const product = Uint8Array.from(buffer.subarray(offset + 16, offset + headBytes));
  return { keys, product, securityVersion: buffer.readUInt32LE(offset + 12), require, offset };
}

// A 4096-bit modulus.
const mostModulusBytes = 512;

function readKey(buffer: Buffer, at: number): RsaPublicKey | undefined {
  if (at + keyHeadBytes > buffer.length) return undefined;
  const modulusBytes = buffer.readUInt32LE(at);
  const end = at + keyHeadBytes + modulusBytes;
  if (modulusBytes > mostModulusBytes || end > buffer.length) return undefined;
  const n = buffer.toString('base64url', at + keyHeadBytes, end);
  const e = buffer.toString('base64url', at + 4, at + keyHeadBytes);
  try {
    const key = describePublicKey(createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }), 'an embedded key');
    return key.modulus.length === modulusBytes ? key : undefined;
  } catch {
    // The numbers do not form an RSA key, or devices do not support the key size.
    return undefined;
  }
}
