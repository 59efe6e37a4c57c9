import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { csrf } from 'hono/csrf';
import { secureHeaders } from 'hono/secure-headers';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { apiPage } from './api-page.tsx';
import { assetRoutes } from './assets.ts';
import { devicePage, enrollFromOverview, retryDevice } from './device-page.tsx';
import { errorPage } from './error-page.tsx';
import { eventRoutes } from './events.ts';
import { fleetPage } from './fleet-page.tsx';
import { loginRoutes } from './login.tsx';
import { overviewPage } from './overview-page.tsx';
import { type PageContext, type PageEnv, requireLogin } from './page-login.ts';
import { projectPath } from './paths.ts';
import { releasesPage, yankRelease } from './releases-page.tsx';
import { actOnRollout, rolloutPage } from './rollout-page.tsx';
import { rolloutsPage } from './rollouts-page.tsx';
import { Sessions } from './sessions.ts';

/** All dashboard paths. Device requests use other paths. */
const places = ['/', '/api', '/login', '/logout', '/events', '/assets/*', '/projects/*'];
const mostFormBytes = 16 * 1024;

const guard = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    scriptSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  },
  // With the `no-referrer` policy, browsers would send forms with `Origin: null`.
  referrerPolicy: 'same-origin',
  xFrameOptions: 'DENY',
  // Strict-Transport-Security is not set, because browsers may not trust the server's own certificate. A reverse proxy can set it.
  strictTransportSecurity: false,
});

/** Creates the dashboard. Its pages are readable without JavaScript and load nothing from other sites. */
export function dashboard(parts: ServerParts): Hono<PageEnv> {
  const sessions = new Sessions(parts.store.sessions);
  const app = new Hono<PageEnv>();
  for (const place of places) {
    app.use(place, guard);
    // Compare only the hosts: a proxy that terminates TLS changes https://name to http://name.
    app.use(place, csrf({ origin: (origin, context) => hostOf(origin) === context.req.header('host') }));
    app.post(place, refuseAnnounced, withStandardRequest);
    app.post(place, bodyLimit({ maxSize: mostFormBytes }));
  }
  app.route('/', assetRoutes());
  app.route('/', loginRoutes(parts, sessions));
  app.route('/', eventRoutes(parts, sessions));

  const login = requireLogin({ parts, sessions });
  app.get('/', login, (context) => overviewPage(context, parts));
  app.get('/api', login, apiPage);
  const project = '/projects/:project';
  const named = (context: PageContext, name = 'project') => context.req.param(name) ?? '';
  app.get(project, login, (context) => context.redirect(projectPath(named(context), 'devices'), 303));
  app.get(`${project}/devices`, login, (context) => fleetPage(context, parts, named(context)));
  app.get(`${project}/devices/:mac`, login, (context) =>
    devicePage(context, parts, named(context), named(context, 'mac')),
  );
  app.post(`${project}/devices/:mac/retry`, login, (context) =>
    retryDevice(context, parts, named(context), named(context, 'mac')),
  );
  app.post(`${project}/devices/:mac/enroll`, login, (context) =>
    enrollFromOverview(context, parts, named(context), named(context, 'mac')),
  );
  app.get(`${project}/releases`, login, (context) => releasesPage(context, parts, named(context)));
  app.post(`${project}/releases/yank`, login, (context) => yankRelease(context, parts, named(context)));
  app.get(`${project}/rollouts`, login, (context) => rolloutsPage(context, parts, named(context)));
  app.get(`${project}/rollouts/:id`, login, (context) =>
    rolloutPage(context, parts, named(context), named(context, 'id')),
  );
  app.post(`${project}/rollouts/:id/:action`, login, (context) =>
    actOnRollout(context, parts, named(context), [named(context, 'id'), named(context, 'action')]),
  );
  app.all('/projects/*', login, () => {
    throw new DomainError('not-found', 'Page not found.', 'Check the URL.');
  });
  app.onError((error, context) => errorPage(error, context, parts));
  return app;
}

/**
 * Rejects an oversized form by its Content-Length. `bodyLimit` starts reading before it checks the size, so a client that waits for `100
 * Continue` would send the body.
 */
const refuseAnnounced: MiddlewareHandler<PageEnv> = async (context, next) => {
  if (Number(context.req.header('content-length') ?? 0) > mostFormBytes) return context.text('Payload Too Large', 413);
  return next();
};

/**
 * Replaces the request object of a form that has no Content-Length. `bodyLimit` copies such a request to limit its body, and copying the
 * object that `@hono/node-server` creates would fail.
 */
const withStandardRequest: MiddlewareHandler<PageEnv> = async (context, next) => {
  const { req } = context;
  if (req.header('content-length') === undefined && req.raw.body !== null) {
    const { method, headers, body } = req.raw;
    req.raw = new Request(req.url, { method, headers, body, duplex: 'half' });
  }
  return next();
};

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
