import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import type { PageAccess, PageSession } from './access.ts';

/** Hono environment for the page. */
export interface UiEnv {
  Variables: { session: PageSession };
}

export type UiContext = Context<UiEnv>;

export const cookieName = 'ota-ui';

/** Names of this machine for itself. A port forwarded with SSH may have a different number. */
const ownHost = /^(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/;

/**
 * Rejects requests for other host names. With DNS rebinding, the name of another site leads to this machine, and the browser treats the
 * page as a part of that site.
 */
export const requireOwnHost: MiddlewareHandler<UiEnv> = async (context, next) => {
  if (ownHost.test(context.req.header('host') ?? '')) return next();
  return context.text('This page is only available at the address that `ota-hooks ui` shows.\n', 421);
};

/** Rejects actions that a page of a different origin requests. A different port of this machine is a different origin. */
export const requireOwnOrigin: MiddlewareHandler<UiEnv> = async (context, next) => {
  const { req } = context;
  const site = req.header('sec-fetch-site') ?? 'same-origin';
  if (req.header('origin') === `http://${req.header('host')}` && site === 'same-origin') return next();
  return context.text('The request comes from a different page. Reload the page and submit the form again.\n', 403);
};

const mostFormBytes = 64 * 1024;

/** Rejects oversized forms by their announced size, before any of the body is read. Browsers always announce it. */
export const requireSmallForm: MiddlewareHandler<UiEnv> = async (context, next) => {
  const sizeBytes = context.req.header('content-length');
  if (sizeBytes === undefined) return context.text('The request must have a Content-Length.\n', 411);
  if (Number(sizeBytes) > mostFormBytes) return context.text('The form is too large.\n', 413);
  return next();
};

/** Rejects visitors without a session. */
export function requireSession(access: PageAccess): MiddlewareHandler<UiEnv> {
  return async (context, next) => {
    const session = access.find(getCookie(context, cookieName) ?? '');
    if (session === undefined) return refuse(context);
    context.set('session', session);
    context.header('Cache-Control', 'no-store');
    return next();
  };
}

export function refuse(context: UiContext): Response {
  return context.text('Open the complete address that `ota-hooks ui` shows. It contains a token.\n', 403);
}

/** Submitted form. A field can have several values. */
export type PageForm = URLSearchParams;

/** Reads a form. Returns undefined if the form is not from a page of this session. */
export async function readPageForm(context: UiContext): Promise<PageForm | undefined> {
  const type = context.req.header('content-type') ?? '';
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) return undefined;
  const form = new URLSearchParams(await context.req.text());
  return form.get('form') === context.get('session').formToken ? form : undefined;
}
