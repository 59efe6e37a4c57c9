import { resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { isReadableByOthers } from '../../../project/keys/key-files.ts';
import type { TlsOptions } from '../../../server/tls/certificate.ts';
import type { ServeOptions } from './options.ts';

/**
 * Returns the server's TLS settings.
 *
 * @returns undefined for plain HTTP
 * @throws OtaError OPTION_MISSING, OPTIONS_CONFLICT
 */
export function tlsOptions({ tlsCert, tlsKey, tls, tlsHost }: ServeOptions, cwd: string): TlsOptions | undefined {
  const files = [tlsCert, tlsKey].filter((file) => file !== undefined);
  if (tls === undefined && tlsHost !== undefined) throw missing('--tls-host', '--tls self-signed');
  if (tls !== undefined) {
    if (files.length === 0) return { kind: 'self-signed', hosts: tlsHost ?? [] };
    const option = tlsCert === undefined ? '--tls-key' : '--tls-cert';
    throw new OtaError('OPTIONS_CONFLICT', { option: '--tls self-signed', other: option });
  }
  if (files.length === 0) return undefined;
  if (tlsCert === undefined) throw missing('--tls-key', '--tls-cert FILE');
  if (tlsKey === undefined) throw missing('--tls-cert', '--tls-key FILE');
  return { kind: 'files', cert: resolve(cwd, tlsCert), key: resolve(cwd, tlsKey) };
}

/** Returns a warning if other users can read the file in `--tls-key`. Keys created by the server are always private. */
export async function tlsKeyWarnings(
  tls: TlsOptions | undefined,
  nameOf: (path: string) => string,
): Promise<readonly string[]> {
  if (tls?.kind !== 'files' || !(await isReadableByOthers(tls.key))) return [];
  const name = nameOf(tls.key);
  return [`${name} can be read by other users; run: chmod 600 ${name}`];
}

function missing(subject: string, wanted: string): OtaError {
  return new OtaError('OPTION_MISSING', { subject, wanted });
}
