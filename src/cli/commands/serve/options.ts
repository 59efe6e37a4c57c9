import { resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { isReadableByOthers } from '../../../project/keys/key-files.ts';
import type { TlsOptions } from '../../../server/tls/certificate.ts';

/** What was said of https on the command line. */
export interface TlsChoice {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tls?: 'self-signed' | undefined;
  readonly tlsHost?: readonly string[] | undefined;
}

/**
 * @returns undefined for plain http
 * @throws OtaError USAGE
 */
export function tlsOptions({ tlsCert, tlsKey, tls, tlsHost }: TlsChoice, cwd: string): TlsOptions | undefined {
  const isOwn = tlsCert !== undefined || tlsKey !== undefined;
  if (isOwn && tls !== undefined)
    throw usage('--tls self-signed makes the certificate; --tls-cert and --tls-key name one');
  if (tlsHost !== undefined && tls === undefined) throw usage('--tls-host is for --tls self-signed');
  if (tls !== undefined) return { kind: 'self-signed', hosts: (tlsHost ?? []).map(hostName) };
  if (!isOwn) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) throw usage('--tls-cert and --tls-key go together');
  return { kind: 'files', cert: resolve(cwd, tlsCert), key: resolve(cwd, tlsKey) };
}

/** What is careless about the key of a certificate; the keys of an authority of our own are made as they should be. */
export async function tlsKeyWarnings(
  tls: TlsOptions | undefined,
  nameOf: (path: string) => string,
): Promise<readonly string[]> {
  if (tls?.kind !== 'files' || !(await isReadableByOthers(tls.key))) return [];
  return [`${nameOf(tls.key)} can be read by other users of this machine; chmod 600 it`];
}

/** `HOST:PORT`, `[::1]:PORT`, `:PORT`. */
export function listenAddress(option: string, text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw usage(`${option} ${text} is not HOST:PORT`, `Such as ${option} 0.0.0.0:8266`);
  }
  return { host: bracketed ?? (plain === '' || plain === undefined ? '0.0.0.0' : plain), port };
}

/** What stands between `https://` and the port: a name, an IPv4 address. */
function hostName(text: string): string {
  if (/^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/i.test(text)) return text.toLowerCase();
  throw usage(`--tls-host ${text} is no name and no address`, 'Such as --tls-host ota.example.com or 192.168.1.5');
}

function usage(message: string, hint?: string): OtaError {
  return new OtaError('USAGE', { message, ...(hint !== undefined && { hint }) });
}
