import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { OtaError } from '../../errors/ota-error.ts';

/** What a server shows to its clients, and the key that it proves it with; both PEM. */
export interface Certificate {
  /** The server's own certificate first; those that lead to a known authority may follow. */
  readonly cert: string;
  readonly key: string;
}

/** Where a certificate comes from. It is asked again and again: certificates are renewed while the server runs. */
export interface CertificateSource {
  /** @throws OtaError when there is none that can be used */
  read(): Promise<Certificate>;
}

/** Whose certificate a server shows. */
export type TlsOptions =
  | { readonly kind: 'files'; readonly cert: string; readonly key: string }
  /** One that is made and renewed here; `hosts` are the names and addresses that clients use, beside those of the machine itself. */
  | { readonly kind: 'self-signed'; readonly hosts: readonly string[] };

/**
 * Reads the first certificate of a PEM file.
 *
 * @throws OtaError TLS_FILE_UNUSABLE
 */
export function readCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new OtaError('TLS_FILE_UNUSABLE', { path, reason: 'it holds no certificate in PEM form' }, cause);
  }
}

/**
 * Reads a private key of any kind that TLS knows.
 *
 * @throws OtaError TLS_FILE_UNUSABLE
 */
export function readTlsKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const isEncrypted = pem.includes('ENCRYPTED');
    const reason = isEncrypted ? 'it is encrypted, and a server cannot ask' : 'it holds no private key in PEM form';
    throw new OtaError('TLS_FILE_UNUSABLE', { path, reason }, cause);
  }
}
