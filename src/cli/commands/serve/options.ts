import { resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { isReadableByOthers } from '../../../project/keys/key-files.ts';
import type { TlsOptions } from '../../../server/tls/certificate.ts';

/** TLS options from the command line. */
export interface TlsChoice {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tls?: 'self-signed' | undefined;
  readonly tlsHost?: readonly string[] | undefined;
}

/**
 * Returns the TLS settings of the server.
 *
 * @returns undefined for plain HTTP
 * @throws OtaError USAGE
 */
export function tlsOptions({ tlsCert, tlsKey, tls, tlsHost }: TlsChoice, cwd: string): TlsOptions | undefined {
  const isOwn = tlsCert !== undefined || tlsKey !== undefined;
  if (isOwn && tls !== undefined) throw usage('--tls self-signed cannot be combined with --tls-cert and --tls-key');
  if (tlsHost !== undefined && tls === undefined) throw usage('--tls-host requires --tls self-signed');
  if (tls !== undefined) return { kind: 'self-signed', hosts: (tlsHost ?? []).map(hostName) };
  if (!isOwn) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) throw usage('--tls-cert and --tls-key must be used together');
  return { kind: 'files', cert: resolve(cwd, tlsCert), key: resolve(cwd, tlsKey) };
}

/** Returns a warning if other users can read the key of a certificate. Keys of the server's own authority are created correctly. */
export async function tlsKeyWarnings(
  tls: TlsOptions | undefined,
  nameOf: (path: string) => string,
): Promise<readonly string[]> {
  if (tls?.kind !== 'files' || !(await isReadableByOthers(tls.key))) return [];
  const name = nameOf(tls.key);
  return [`${name} can be read by other users; run: chmod 600 ${name}`];
}

/** Parses an address to listen on: `HOST:PORT`, `[::1]:PORT` or `:PORT`. */
export function listenAddress(option: string, text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw usage(`${option} must be HOST:PORT, not ${text}`, 'Use an address such as 0.0.0.0:8266.');
  }
  return { host: bracketed ?? (plain === '' || plain === undefined ? '0.0.0.0' : plain), port };
}

/** Validates the host part of a URL: a name or an IPv4 address. */
function hostName(text: string): string {
  if (/^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/i.test(text)) return text.toLowerCase();
  throw usage(
    `--tls-host must be a host name or an IPv4 address, not ${text}`,
    'Use a value such as ota.example.com or 192.168.1.5.',
  );
}

function usage(message: string, hint?: string): OtaError {
  return new OtaError('USAGE', { message, ...(hint !== undefined && { hint }) });
}
