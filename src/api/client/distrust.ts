import { OtaError } from '../../errors/ota-error.ts';

/** Descriptions of Node.js error codes for untrusted certificates. Most of the codes are from OpenSSL. */
const words: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate authority is unknown',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate authority is unknown',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate authority is unknown',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate authority is unknown',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  CERT_SIGNATURE_FAILURE: 'the signature of its certificate is invalid',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for a different host name',
};

/**
 * Converts an error code for an untrusted certificate into an error.
 *
 * @returns undefined for all other error codes
 */
export function distrust(url: URL, code: string, cause: unknown): OtaError | undefined {
  const reason = words[code];
  if (reason === undefined) return undefined;
  return new OtaError('SERVER_NOT_TRUSTED', { url: url.origin, reason: `${reason} (${code})` }, cause);
}
