import type { Server as HttpServer } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import { readNamedFile } from '../../files/read.ts';
import type { Log } from '../observability/log.ts';
import { tlsFiles } from './authority-files.ts';
import { type Certificate, type CertificateSource, isEarly, readCertificate, type TlsOptions } from './certificate.ts';
import { LiveCertificate } from './live-certificate.ts';
import { ownFiles } from './own-files.ts';
import { replaceCertificate } from './secure-server.ts';

/** Keeps a server's certificate up to date. */
interface Renewal {
  /** Checks the certificate now. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerTls {
  /** Certificate in use at the start; undefined without TLS. */
  readonly certificate: Certificate | undefined;
  /** Paths to the files for clients and for sketches; undefined unless the server has its own authority. */
  readonly trust: { readonly ca: string; readonly header: string } | undefined;
  keepCurrent(server: HttpServer | HttpsServer): Renewal;
}

const nothingToRenew: Renewal = { reload: async () => undefined, stop: async () => undefined };

/**
 * Loads a server's certificate.
 *
 * @param folder folder of the server's own authority
 * @throws OtaError errors from the certificate source
 */
export async function openTls(options: TlsOptions | undefined, folder: string, log: Log): Promise<ServerTls> {
  if (options === undefined) return { certificate: undefined, trust: undefined, keepCurrent: () => nothingToRenew };
  const { source, trust } = await sourceOf(options, folder);
  const live = await LiveCertificate.open(source, log);
  if (trust !== undefined) await warnIfEarly(trust.ca, log);
  return {
    certificate: live.current,
    trust,
    keepCurrent(server) {
      if (!(server instanceof HttpsServer)) return nothingToRenew;
      const show = (certificate: Certificate) => replaceCertificate(server, certificate);
      const { stop } = live.watch(show);
      return { reload: () => live.reload(show), stop };
    },
  };
}

/** Keeps an authority that is not valid yet, because the server cannot replace the copies on devices and on the computers of publishers. */
async function warnIfEarly(path: string, log: Log): Promise<void> {
  const authority = readCertificate(Buffer.from(await readNamedFile(path, 'certificate')).toString('latin1'), path);
  if (!isEarly(authority)) return;
  const { validFrom } = authority;
  log.warn(
    { path, validFrom },
    'The certificate authority is not valid yet: it was created while the clock was ahead. Devices accept it; browsers and publish do not. ' +
      'To create it again with the same name and key, remove the file and restart',
  );
}

/** Load node-forge only when a certificate is created. */
async function sourceOf(
  options: TlsOptions,
  folder: string,
): Promise<{ readonly source: CertificateSource; readonly trust: ServerTls['trust'] }> {
  switch (options.kind) {
    case 'files':
      return { source: ownFiles(options.cert, options.key), trust: undefined };
    case 'self-signed': {
      const { selfSigned } = await import('./self-signed.ts');
      const { authority, header } = tlsFiles(folder);
      return { source: selfSigned(folder, options.hosts), trust: { ca: authority, header } };
    }
  }
}
