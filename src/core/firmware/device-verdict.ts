import type { RsaPublicKey } from '../keys/public-key.ts';
import { verifySignature } from '../keys/verify.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import { wordAt } from './little-endian.ts';

/** Result of a device's signature check, with the error message that the device prints. */
export type DeviceVerdict = { readonly accepted: true } | { readonly accepted: false; readonly error: string };

// Messages of `UpdaterClass::printError` and `getErrorString`, with the error numbers of `Updater.h`.
const badSize = 'ERROR[5]: Bad Size Given';
const signatureFailed = 'ERROR[12]: Signature verification failed';

const lengthWordBytes = 4;

/**
 * Returns the result of the signature check that a device with `key` makes on these bytes. The check follows `UpdaterClass::end`
 * (`Updater.cpp`) with a verifier installed, after the check for an empty update in `begin`. Other errors (space, flash mode, flash size)
 * depend on more than the key and the bytes, so they are not checked.
 *
 * @param format `current` for a device on core 2.6.0 or later, `legacy` for an earlier core
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
