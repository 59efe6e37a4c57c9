import type { RsaPublicKey } from '../keys/public-key.ts';
import { verifySignature } from '../keys/verify.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import { wordAt } from './little-endian.ts';

/** What a device says of an update, in its own words. */
export type DeviceVerdict = { readonly accepted: true } | { readonly accepted: false; readonly error: string };

// `UpdaterClass::printError`, `getErrorString` and the numbers of `Updater.h`.
const badSize = 'ERROR[5]: Bad Size Given';
const signatureFailed = 'ERROR[12]: Signature verification failed';

const lengthWordBytes = 4;

/**
 * What a device that holds `key` says of the signature when it has received these bytes: the steps of
 * `UpdaterClass::end` (`Updater.cpp`) with a verifier installed, after `begin` refused an empty update. The rest of what
 * can go wrong (space, flash mode, flash size) depends on more than the key and the bytes, and is not looked at.
 *
 * @param format `current` for a device on core 2.6.0 or later, `legacy` for one before
 */
export function deviceVerdict(bytes: Uint8Array, key: RsaPublicKey, format: SignatureFormat): DeviceVerdict {
  if (bytes.length === 0) return { accepted: false, error: badSize };
  const expectedBytes = key.modulus.length;
  const signatureBytes = wordAt(bytes, bytes.length - lengthWordBytes);
  const payloadBytes = bytes.length - lengthWordBytes - expectedBytes;
  if (signatureBytes !== expectedBytes || payloadBytes < 0) return { accepted: false, error: signatureFailed };
  const payload = bytes.subarray(0, payloadBytes);
  const signature = bytes.subarray(payloadBytes, payloadBytes + expectedBytes);
  return verifySignature(payload, signature, key, format)
    ? { accepted: true }
    : { accepted: false, error: signatureFailed };
}
