import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { OtaError } from '../../errors/ota-error.ts';

/** Certificate that a server presents to its clients, and its private key, both in PEM format. */
export interface Certificate {
  /** Certificate of the server, optionally followed by the chain to a certificate authority. */
  readonly cert: string;
  readonly key: string;
}

/** Source of a certificate. The source is read repeatedly, because certificates are renewed while the server runs. */
export interface CertificateSource {
  /**
   * Reads the certificate.
   *
   * @throws OtaError if there is no usable certificate
   */
  read(): Promise<Certificate>;
}

/** Source of the server certificate: files, or a certificate that the server creates and renews. */
export type TlsOptions =
  | { readonly kind: 'files'; readonly cert: string; readonly key: string }
  /**
   * Certificate that the server creates and renews. `hosts` are the names and addresses that clients use, in addition to `localhost` and
   * `127.0.0.1`. The default is the machine's own names and addresses.
   */
  | { readonly kind: 'self-signed'; readonly hosts: readonly string[] };

/**
 * Reads the first certificate in a PEM file.
 *
 * @throws OtaError TLS_FILE_UNUSABLE
 */
export function readCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new OtaError('TLS_FILE_UNUSABLE', { path, reason: 'it contains no certificate in PEM format' }, cause);
  }
}

/**
 * Reads a private key of any type that TLS supports.
 *
 * @throws OtaError TLS_FILE_UNUSABLE
 */
export function readTlsKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const isEncrypted = pem.includes('ENCRYPTED');
    const reason = isEncrypted ? 'it is encrypted' : 'it contains no private key in PEM format';
    throw new OtaError('TLS_FILE_UNUSABLE', { path, reason }, cause);
  }
}

/** Returns whether a certificate is not valid yet, because it was created while the clock was ahead. */
export function isEarly(certificate: X509Certificate): boolean {
  return Date.parse(certificate.validFrom) > Date.now();
}
