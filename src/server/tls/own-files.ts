import { OtaError } from '../../errors/ota-error.ts';
import { readNamedFile } from '../../files/read.ts';
import { type CertificateSource, readCertificate, readTlsKey } from './certificate.ts';

/**
 * Creates a source for a certificate that a different program, such as certbot, renews.
 *
 * @returns a source that throws OtaError FILE_NOT_FOUND, FILE_UNREADABLE, TLS_FILE_UNUSABLE, TLS_KEY_MISMATCH
 */
export function ownFiles(certPath: string, keyPath: string): CertificateSource {
  return {
    async read() {
      const [cert, key] = await Promise.all([textOf(certPath, 'certificate'), textOf(keyPath, 'private key')]);
      const certificate = readCertificate(cert, certPath);
      if (!certificate.checkPrivateKey(readTlsKey(key, keyPath))) {
        throw new OtaError('TLS_KEY_MISMATCH', { cert: certPath, key: keyPath });
      }
      return { cert, key };
    },
  };
}

async function textOf(path: string, what: string): Promise<string> {
  return Buffer.from(await readNamedFile(path, what)).toString('latin1');
}
