import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { isSecure } from '../../auth/is-secure.ts';
import { type Action, permits, rolesFor, rolesText } from '../../auth/permissions.ts';
import { personIn } from '../../auth/person.ts';
import { requestHosts } from '../../auth/request-hosts.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { personId, personNamed } from '../../storage/person-id.ts';
import type { TokenRecord } from '../../storage/records.ts';
import type { StoredSession } from '../../storage/store.ts';
import { alertsFor, type RolloutAlert } from './alerts.tsx';
import { withQuery } from './paths.ts';
import type { Sessions } from './sessions.ts';

/** Hono environment for the pages. */
export interface PageEnv {
  Variables: {
    token: TokenRecord;
    session: StoredSession;
    alerts: readonly RolloutAlert[];
    /** Prefix of all paths in pages, such as `/ota`; empty without a base path. */
    basePath: string;
  };
  Bindings: Partial<HttpBindings>;
}

export type PageContext = Context<PageEnv>;

/**
 * Returns the name and the attributes for the session cookie. Over TLS, the prefix `__Host-` in the name prevents other hosts and plain HTTP
 * pages from setting the cookie (RFC 6265bis, 4.1.3.2). It requires the path `/`. Below a base path, the cookie is not sent to other
 * applications of the host, and the prefix `__Secure-` still excludes plain HTTP pages.
 */
export function cookieOf(
  context: PageContext,
  { isTrustedProxy, basePath }: ServerParts,
): { name: string; secure: boolean; path: string } {
  const { incoming } = context.env ?? {};
  const secure = incoming !== undefined && isSecure(incoming, isTrustedProxy);
  const prefix = !secure ? '' : basePath === '' ? '__Host-' : '__Secure-';
  return { name: `${prefix}ota`, secure, path: basePath === '' ? '/' : basePath };
}

interface LoginParts {
  readonly parts: ServerParts;
  readonly sessions: Sessions;
}

interface Login {
  readonly session: StoredSession;
  readonly token: TokenRecord;
}

/**
 * Finds a request's login session and its token. Revoking a token ends its sessions. A person with access whom a trusted proxy has logged in
 * needs no other login: their session, which a page begins, only protects forms.
 */
export async function findLogin(context: PageContext, { parts, sessions }: LoginParts): Promise<Login | undefined> {
  const id = getCookie(context, cookieOf(context, parts).name);
  const session = id === undefined ? undefined : await sessions.find(id);
  const access = await accessOf(context, parts);
  if (access === undefined) {
    // Without the header of the proxy, the session of a person is not valid.
    if (session === undefined || personNamed(session.token) !== undefined) return undefined;
    const token = await parts.store.tokens.find(session.token);
    return token && { session, token };
  }
  if (session?.token === access.id) return { session, token: access };
  return context.req.method === 'GET' ? beginSession(context, { parts, sessions }, access) : undefined;
}

/** Begins a session and sets its cookie. */
export async function beginSession(
  context: PageContext,
  { parts, sessions }: LoginParts,
  token: TokenRecord,
): Promise<Login | undefined> {
  const { name, ...attributes } = cookieOf(context, parts);
  const id = await sessions.open(token.id);
  setCookie(context, name, id, { httpOnly: true, sameSite: 'Strict', ...attributes });
  const session = await sessions.find(id);
  return session && { session, token };
}

/** Returns the access of the person that a trusted proxy names; undefined if the proxy names none, or the person has no access. */
export async function accessOf(context: PageContext, parts: ServerParts): Promise<TokenRecord | undefined> {
  const person = personOf(context, parts);
  return person === undefined ? undefined : parts.store.tokens.find(personId(person));
}

/** Returns the name of the person that a trusted proxy has authenticated, with or without access. */
export function personOf({ env }: PageContext, parts: ServerParts): string | undefined {
  const { incoming } = env ?? {};
  return incoming === undefined ? undefined : personIn(incoming, parts);
}

interface RequiredLogin extends LoginParts {
  /** Responds to a form that was sent without a session. */
  readonly refuseForm: (context: PageContext) => Promise<Response>;
}

/** Redirects a user without a session to the login page, which then redirects back to the requested page. */
export function requireLogin(parts: RequiredLogin): MiddlewareHandler<PageEnv> {
  return async (context, next) => {
    const login = await findLogin(context, parts);
    if (login === undefined) {
      const { path, url, method } = context.req;
      if (method !== 'GET') return parts.refuseForm(context);
      return context.redirect(withQuery('/login', { next: path + new URL(url).search }), 303);
    }
    await parts.parts.catalog.update();
    const project = context.req.param('project');
    if (project !== undefined) requireProjectOf(parts.parts, login.token, project);
    context.set('session', login.session);
    context.set('token', login.token);
    context.set('alerts', alertsFor(parts.parts, login.token));
    return next();
  };
}

/** Returns the page that contains the form of a request, so that a user whose session has ended returns to it after login. */
export function pageOfForm(context: PageContext, parts: ServerParts): string | undefined {
  const page = context.req.header('referer') ?? '';
  if (!URL.canParse(page)) return undefined;
  const { host, pathname, search } = new URL(page);
  const { basePath } = parts;
  if (!hostsOf(context, parts).includes(host)) return undefined;
  return (pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : pathname) + search;
}

/** Returns the hosts to which the browser may have sent a request. */
export function hostsOf({ env, req }: PageContext, { isTrustedProxy }: ServerParts): readonly string[] {
  const { incoming } = env ?? {};
  return incoming === undefined ? [req.header('host') ?? ''] : requestHosts(incoming, isTrustedProxy);
}

/** Throws the same error for a project that does not exist and for a project that the token may not access. */
function requireProjectOf({ catalog }: ServerParts, token: TokenRecord, project: string): void {
  if (catalog.view(project) !== undefined && mayLookAt(token, project)) return;
  throw new DomainError(
    'not-found',
    'Project not found.',
    'Open the overview to see the projects that your token can access.',
  );
}

export function mayLookAt(token: TokenRecord, project: string): boolean {
  return token.project === undefined || token.project === project;
}

/** Returns whether a token permits the actions that concern the whole server. */
export function mayAdminister(token: TokenRecord): boolean {
  return permits(token, 'administer') && token.project === undefined;
}

/**
 * Requires a token that permits the actions that concern the whole server.
 *
 * @throws DomainError role-missing
 */
export function requireAdministrator(context: PageContext): void {
  requireRoleFor(context, 'administer');
  const { project } = context.get('token');
  if (project === undefined) return;
  throw new DomainError(
    'role-missing',
    `Your token is valid only for the project ${project}.`,
    'Log in with a token for all projects that has the role admin.',
  );
}

/** Returns the form token if the session's token permits an action, and undefined if its buttons must not be shown. */
export function formTokenFor(context: PageContext, action: Action): string | undefined {
  return permits(context.get('token'), action) ? context.get('session').formToken : undefined;
}

export type Form = Readonly<Record<string, string>>;

/** @throws DomainError role-missing */
export function requireRoleFor(context: PageContext, action: Action): void {
  const token = context.get('token');
  if (permits(token, action)) return;
  const wanted = rolesFor(action).join(' or ');
  throw new DomainError(
    'role-missing',
    `Your token has the ${rolesText(token.roles)}; this action requires the role ${wanted}.`,
    `Log in with a token that has the role ${wanted}.`,
  );
}

/**
 * Reads a form that was submitted from a page in this session.
 *
 * @throws DomainError role-missing, bad-request
 */
export async function readForm(context: PageContext, action: Action): Promise<Form> {
  requireRoleFor(context, action);
  const form = await formOf(context);
  if (form['form'] !== context.get('session').formToken) {
    throw new DomainError(
      'role-missing',
      'The form belongs to a different session.',
      'Reload the page and submit the form again.',
    );
  }
  return form;
}

/** Reads the text fields of a form. If several fields have the same name, the last one is used. */
export async function formOf(context: PageContext): Promise<Form> {
  const body = await context.req.parseBody().catch(() => {
    throw new DomainError('bad-request', 'The form could not be parsed.', 'Reload the page and submit the form again.');
  });
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => (typeof value === 'string' ? [[name, withLineFeeds(value)]] : [])),
  );
}

/** Returns the text of a field with LF as line break. Browsers send CRLF, and pages show a CR as an escape sequence. */
export function withLineFeeds(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}
