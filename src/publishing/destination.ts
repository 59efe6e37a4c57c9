import { resolve } from 'node:path';
import { secretFromEnvironment } from '../core/model/secret-from-environment.ts';
import {
  hasPermission,
  type ProjectTrust,
  requireNoOwnSecret,
  requirePermission,
  type SecretClaim,
} from '../core/model/secret-policy.ts';
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
  | {
      readonly kind: 'folder';
      readonly path: string;
      /** Project that named the folder. It must also be permitted to write to the folders to which links inside the folder lead. */
      readonly namedBy: ProjectTrust | undefined;
    };

type Environment = Readonly<Record<string, string | undefined>>;

/** Destination that a project configuration names. */
interface ProjectDestination {
  /** A path is relative to `folder`. */
  readonly configured: string | { readonly env: string } | undefined;
  readonly folder: string;
  readonly trust: ProjectTrust;
}

export interface DestinationOptions {
  /** Destination from the command line. */
  readonly to: string | undefined;
  /** Destination from the configuration; undefined for a command without a project. */
  readonly project: ProjectDestination | undefined;
  readonly cwd: string;
  readonly env: Environment;
  /** Name of the environment variable that contains the token. */
  readonly tokenVariable: string;
  /** Returns the token that `ota-hooks login` stored for the origin of a server. */
  readonly storedToken: (origin: string) => string | undefined;
  /** Certificate authority file for the server, from the command line. */
  readonly ca: string | undefined;
}

/**
 * Returns the destination for builds. A configuration is part of the source tree, which may be untrusted: it may name a folder in the
 * project, and the variable `OTA_SERVER`. The token is sent to another address only if the user names its origin, in the environment
 * (`OTA_TOKEN_ORIGIN` for `OTA_TOKEN`) or in the user configuration. The token of a login is used only if the user names the server on the
 * command line, in the environment or in the user configuration: an untrusted project must not publish to the user's server. Only the
 * command line and the environment (`OTA_CA`) decide which authority is trusted.
 *
 * @throws OtaError DESTINATION_AMBIGUOUS, DESTINATION_MISSING, LOGIN_NOT_CHOSEN, SERVER_URL_INVALID, SECRET_MISSING, SECRET_RESERVED,
 *   SECRET_UNTRUSTED, TOKEN_INVALID, TOKEN_UNBOUND
 */
export function resolveDestination(options: DestinationOptions): Destination {
  const { to, project, cwd, env } = options;
  const fromProject = to === undefined && project?.configured !== undefined ? project : undefined;
  const place = to ?? (fromProject === undefined ? env['OTA_SERVER'] || undefined : placeOf(fromProject, env));
  if (place === undefined) {
    throw new OtaError('DESTINATION_MISSING', { what: 'destination' });
  }
  // A variable that the user permits counts as a destination from the user.
  const literal = typeof fromProject?.configured === 'string' ? fromProject : undefined;
  const url = serverUrl(place);
  if (url === undefined) {
    const path = folderAt(place, literal, cwd);
    if (!/[\\/]|^\.\.?$/.test(place)) throw new OtaError('DESTINATION_AMBIGUOUS', { place });
    return { kind: 'folder', path, namedBy: literal?.trust };
  }
  return { kind: 'server', ...connectionTo(url, literal, options) };
}

/** Token and certificate authority for a server that the user names. */
type ServerOptions = Omit<DestinationOptions, 'to' | 'project'>;

/**
 * Returns the token and the certificate authority for a server that the user names.
 *
 * @throws OtaError SECRET_MISSING, TOKEN_INVALID, TOKEN_UNBOUND
 */
export function serverDestination(url: URL, options: ServerOptions) {
  return connectionTo(url, undefined, options);
}

function connectionTo(url: URL, literal: ProjectDestination | undefined, options: ServerOptions) {
  const ca = options.ca ?? (options.env['OTA_CA'] || undefined);
  return { url, token: tokenFor(url, literal, options), ca: ca && resolve(options.cwd, ca) };
}

const purpose = 'the destination for `publish`';

/** Returns the destination that a configuration names. A build server's variable may contain untrusted text, such as a commit title. */
function placeOf({ configured, trust }: ProjectDestination, env: Environment): string | undefined {
  if (typeof configured !== 'object') return configured;
  const claim: SecretClaim = { use: 'destination', source: configured, purpose };
  requirePermission(claim, 'project', trust);
  const value = secretFromEnvironment(configured.env, env, purpose);
  requireNoOwnSecret(value, claim, env);
  return value;
}

function folderAt(place: string, literal: ProjectDestination | undefined, cwd: string): string {
  if (literal === undefined) return resolve(cwd, place);
  const path = resolve(literal.folder, place);
  requireFolder(path, literal.trust);
  return path;
}

/**
 * Checks that a project may publish to a folder.
 *
 * @throws OtaError SECRET_UNTRUSTED
 */
export function requireFolder(path: string, namedBy: ProjectTrust): void {
  requirePermission({ use: 'destination', source: { file: path }, purpose }, 'project', namedBy);
}

/**
 * Parses a server URL.
 *
 * @returns undefined if the text is a path
 * @throws OtaError SERVER_URL_INVALID
 */
export function serverUrl(place: string): URL | undefined {
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

/** Variable with the token, unless the user names a different one. Only its absence allows the token of a login. */
export const defaultTokenVariable = 'OTA_TOKEN';

function tokenFor(url: URL, literal: ProjectDestination | undefined, options: ServerOptions): string {
  const { env, tokenVariable, storedToken } = options;
  const claim: SecretClaim = { use: 'destination', source: { server: url.origin }, purpose };
  const isPermitted = literal === undefined || hasPermission(claim, 'project', literal.trust);
  if (tokenVariable === defaultTokenVariable && (env[tokenVariable] ?? '') === '') {
    const stored = storedToken(url.origin);
    if (stored !== undefined && !isPermitted) {
      const howToAllow = literal.trust.howToAllow(claim.use, claim.source);
      throw new OtaError('LOGIN_NOT_CHOSEN', { origin: url.origin, howToAllow });
    }
    if (stored !== undefined) return stored;
    throw new OtaError('SECRET_MISSING', {
      variable: tokenVariable,
      purpose: `the token for ${url.origin}`,
      alternative: `run \`ota-hooks login ${url.origin}\``,
    });
  }
  const token = secretFromEnvironment(tokenVariable, env, `the token for ${url.origin}`).trim();
  const bound = env[`${tokenVariable}_ORIGIN`]?.trim();
  const boundTo = bound !== undefined && URL.canParse(bound) ? new URL(bound).origin : bound;
  const isBound = boundTo !== undefined && boundTo !== '';
  if (isBound ? boundTo !== url.origin : !isPermitted) {
    throw new OtaError('TOKEN_UNBOUND', {
      variable: tokenVariable,
      origin: url.origin,
      boundTo: boundTo || undefined,
      howToAllow: literal?.trust.howToAllow(claim.use, claim.source),
    });
  }
  if (!isToken(token)) throw new OtaError('TOKEN_INVALID', { source: tokenVariable });
  return token;
}

/** Returns whether an HTTP header can contain the text as a token. */
export function isToken(text: string): boolean {
  return /^[!-~]+$/.test(text);
}

/** Returns true if the token would be sent unencrypted over a network. */
export function isUnencrypted({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
