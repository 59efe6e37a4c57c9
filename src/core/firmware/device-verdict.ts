import type { RsaPublicKey } from '../keys/public-key.ts';
import { verifySignature } from '../keys/verify.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import { wordAt } from './little-endian.ts';

/** Result of a device's signature check, with the error text that the device prints. */
export type DeviceVerdict = { readonly accepted: true } | { readonly accepted: false; readonly error: string };

// Error texts of `UpdaterClass::printError` and `getErrorString`, with the error numbers from `Updater.h`.
const badSize = 'ERROR[5]: Bad Size Given';
const signatureFailed = 'ERROR[12]: Signature verification failed';

const lengthWordBytes = 4;

/**
 * Predicts whether a device with `key` accepts these bytes. The check works like `UpdaterClass::end` (`Updater.cpp`) with a verifier
 * installed. Errors that also depend on the device's flash are not predicted.
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
