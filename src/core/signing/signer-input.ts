import { createHash } from 'node:crypto';
import type { SignatureFormat } from '../model/artifact.ts';
import { digestInfoOf } from './digest-info.ts';

/**
 * Input of a program that signs. `digest`: the 32 bytes of the SHA-256. `digest-info`: the bytes that PKCS#1 v1.5 pads, which are the
 * DigestInfo (51 bytes), or the bare digest for a legacy signature. `payload`: all bytes to sign.
 */
export type SignerInput = (typeof signerInputs)[number];

export const signerInputs = ['digest', 'digest-info', 'payload'] as const;

/** Returns whether a program with an input can make signatures in a format. */
export function canSign(input: SignerInput, format: SignatureFormat): boolean {
  // Only raw PKCS#1 v1.5 can sign a digest without its DigestInfo (esp8266/Arduino#6250).
  return format === 'current' || input === 'digest-info';
}

/** Returns the input for a payload. Undefined if a program with this input cannot make the signature. */
export function signerInputOf(
  payload: Uint8Array,
  input: SignerInput,
  format: SignatureFormat,
): Uint8Array | undefined {
  if (!canSign(input, format)) return undefined;
  if (input === 'payload') return payload;
  const digest = createHash('sha256').update(payload).digest();
  return input === 'digest' || format === 'legacy' ? digest : digestInfoOf(digest);
}
