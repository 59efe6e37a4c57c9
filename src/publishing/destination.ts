import { resolve } from 'node:path';
import { secretFromEnvironment } from '../core/model/secret-from-environment.ts';
import { OtaError } from '../errors/ota-error.ts';

/** Destination for builds. The token is sent only to the origin of the destination. */
export type Destination =
  | {
      readonly kind: 'server';
      readonly url: URL;
      readonly token: string;
      /** File with the certificate authority that issued the server's certificate. Undefined for the authorities that Node.js trusts. */
      readonly ca: string | undefined;
    }
  | { readonly kind: 'folder'; readonly path: string };

type Environment = Readonly<Record<string, string | undefined>>;

export interface DestinationOptions {
  /** Destination given on the command line. */
  readonly to: string | undefined;
  /** Destination from the configuration. A path is relative to `folder`. */
  readonly configured: string | { readonly env: string } | undefined;
  readonly folder: string;
  readonly cwd: string;
  readonly env: Environment;
  /** Name of the environment variable that contains the token. */
  readonly tokenVariable: string;
  /** Certificate authority file for the server, given on the command line. */
  readonly ca: string | undefined;
}

/**
 * Returns the destination for builds. The configuration may be untrusted, because it is part of the source tree. The token is sent to a
 * configured address only if `OTA_TOKEN_ORIGIN` contains the origin of the address. The trusted certificate authority is set only by the
 * command line and `OTA_CA`.
 *
 * @throws OtaError DESTINATION_MISSING, SERVER_URL_INVALID, SECRET_MISSING, TOKEN_INVALID, TOKEN_UNBOUND
 */
export function resolveDestination(options: DestinationOptions): Destination {
  const { to, configured, folder, cwd, env } = options;
  const isTrusted = to !== undefined || typeof configured !== 'string';
  const base = to === undefined && typeof configured === 'string' ? folder : cwd;
  const place = to ?? placeOf(configured, env);
  if (place === undefined) {
    throw new OtaError('DESTINATION_MISSING', { what: 'destination' });
  }
  const url = serverUrl(place);
  if (url === undefined) return { kind: 'folder', path: resolve(base, place) };
  const ca = options.ca ?? (env['OTA_CA'] || undefined);
  return { kind: 'server', url, token: tokenFor(url, isTrusted, options), ca: ca && resolve(cwd, ca) };
}

function placeOf(configured: DestinationOptions['configured'], env: Environment): string | undefined {
  if (configured === undefined) return env['OTA_SERVER'] || undefined;
  if (typeof configured === 'string') return configured;
  return secretFromEnvironment(configured.env, env, 'the destination for `publish`');
}

/**
 * Parses a server URL.
 *
 * @returns undefined if the text is a path
 */
function serverUrl(place: string): URL | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(place)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  const url = URL.canParse(place) ? new URL(place) : undefined;
  const problem = problemOf(scheme, url);
  if (url !== undefined && problem === undefined) return url;
  throw new OtaError('SERVER_URL_INVALID', { problem: problem ?? 'it cannot be parsed' });
}

function problemOf(scheme: string, url: URL | undefined): string | undefined {
  if (scheme !== 'https' && scheme !== 'http') return `it begins with ${scheme}://, not https:// or http://`;
  if (url === undefined) return undefined;
  if (url.username !== '' || url.password !== '') return 'it contains a user name or a password';
  return url.search !== '' || url.hash !== '' ? 'it has a query or a fragment' : undefined;
}

function tokenFor(url: URL, isTrusted: boolean, { env, tokenVariable }: DestinationOptions): string {
  const token = secretFromEnvironment(tokenVariable, env, `the token for ${url.origin}`).trim();
  const bound = env[`${tokenVariable}_ORIGIN`]?.trim();
  const boundTo = bound !== undefined && URL.canParse(bound) ? new URL(bound).origin : bound;
  const isBound = boundTo !== undefined && boundTo !== '';
  if (isBound ? boundTo !== url.origin : !isTrusted) {
    throw new OtaError('TOKEN_UNBOUND', { variable: tokenVariable, origin: url.origin, boundTo: boundTo || undefined });
  }
  if (!/^[!-~]+$/.test(token)) {
    throw new OtaError('TOKEN_INVALID', { variable: tokenVariable });
  }
  return token;
}

/** Returns true if the token would be sent unencrypted over a network. */
export function isUnencrypted({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
