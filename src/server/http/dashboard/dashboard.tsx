import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { except } from 'hono/combine';
import { csrf } from 'hono/csrf';
import { secureHeaders } from 'hono/secure-headers';
import { mostNotesLength } from '../../../api/release.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { apiPage } from './api-page.tsx';
import { assetRoutes } from './assets.ts';
import { auditPage } from './audit-page.tsx';
import { askBulk, doBulk } from './bulk-page.tsx';
import { chartsPage } from './charts-page.tsx';
import { enrollFromOverview, removeDevice, retryDevice, saveDevice } from './device-actions.ts';
import { devicePage } from './device-page.tsx';
import { errorPage } from './error-page.tsx';
import { eventRoutes } from './events.ts';
import { fleetCsv } from './fleet-csv.ts';
import { fleetPage } from './fleet-page.tsx';
import { loginRoutes } from './login.tsx';
import { overviewPage } from './overview-page.tsx';
import { hostsOf, type PageContext, type PageEnv, requireLogin } from './page-login.ts';
import { projectPath } from './paths.ts';
import { publishFromPage, publishPage } from './publish-page.tsx';
import { receiveFiles, refuseAnnounced, withStandardRequest } from './receive-files.ts';
import { promoteRelease, releasePage, saveNotes } from './release-page.tsx';
import { releasesPage, yankRelease } from './releases-page.tsx';
import { actOnRollout, rolloutPage } from './rollout-page.tsx';
import { rolloutWizard, startFromPage } from './rollout-wizard.tsx';
import { rolloutsPage } from './rollouts-page.tsx';
import { Sessions } from './sessions.ts';

/** All dashboard paths. Device requests use other paths. */
const places = ['/', '/api', '/audit', '/login', '/logout', '/events', '/assets/*', '/projects/*'];
const mostFormBytes = 16 * 1024;
const formLimit = bodyLimit({ maxSize: mostFormBytes });

/** Form that contains files, so it may be larger than others. It is read only after the login and the role were checked. */
const publishPath = '/projects/:project/releases/new';
const notesPath = '/projects/:project/releases/notes';
/** Maximum size of a form with release notes: URL encoding triples the size of a character that is not ASCII. */
const notesLimit = bodyLimit({ maxSize: 10 * mostNotesLength });

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
    app.use(place, belowBasePath(parts));
    // Compare only the hosts: a proxy that terminates TLS changes https://name to http://name.
    app.use(
      place,
      csrf({ origin: (origin, context) => hostsOf(context as PageContext, parts).includes(hostOf(origin)) }),
    );
    app.post(place, except([publishPath, notesPath], refuseAnnounced(mostFormBytes), withStandardRequest, formLimit));
  }
  app.route('/', assetRoutes());
  app.route('/', loginRoutes(parts, sessions));
  app.route('/', eventRoutes(parts, sessions));

  const login = requireLogin({ parts, sessions });
  app.get('/', login, (context) => overviewPage(context, parts));
  app.get('/api', login, apiPage);
  app.get('/audit', login, (context) => auditPage(context, parts));
  const project = '/projects/:project';
  const named = (context: PageContext, name = 'project') => context.req.param(name) ?? '';
  app.get(project, login, (context) => context.redirect(projectPath(named(context), 'devices'), 303));
  app.get(`${project}/devices`, login, (context) => fleetPage(context, parts, named(context)));
  app.get(`${project}/devices.csv`, login, (context) => fleetCsv(context, parts, named(context)));
  app.post(`${project}/devices/bulk`, login, (context) => askBulk(context, parts, named(context)));
  app.post(`${project}/devices/bulk/confirm`, login, (context) => doBulk(context, parts, named(context)));
  app.get(`${project}/charts`, login, (context) => chartsPage(context, parts, named(context)));
  app.get(`${project}/devices/:mac`, login, (context) =>
    devicePage(context, parts, named(context), named(context, 'mac')),
  );
  app.post(`${project}/devices/:mac/retry`, login, (context) =>
    retryDevice(context, parts, named(context), named(context, 'mac')),
  );
  app.post(`${project}/devices/:mac/save`, login, (context) =>
    saveDevice(context, parts, named(context), named(context, 'mac')),
  );
  app.post(`${project}/devices/:mac/remove`, login, (context) =>
    removeDevice(context, parts, named(context), named(context, 'mac')),
  );
  app.post(`${project}/devices/:mac/enroll`, login, (context) =>
    enrollFromOverview(context, parts, named(context), named(context, 'mac')),
  );
  app.get(`${project}/releases`, login, (context) => releasesPage(context, parts, named(context)));
  app.get(publishPath, login, (context) => publishPage(context, parts, named(context)));
  app.post(publishPath, login, ...receiveFiles(), (context) => publishFromPage(context, parts, named(context)));
  app.get(`${project}/release`, login, (context) => releasePage(context, parts, named(context)));
  app.post(notesPath, login, withStandardRequest, notesLimit, (context) => saveNotes(context, parts, named(context)));
  app.post(`${project}/releases/promote`, login, (context) => promoteRelease(context, parts, named(context)));
  app.post(`${project}/releases/yank`, login, (context) => yankRelease(context, parts, named(context)));
  app.get(`${project}/rollouts`, login, (context) => rolloutsPage(context, parts, named(context)));
  app.post(`${project}/rollouts`, login, (context) => startFromPage(context, parts, named(context)));
  app.get(`${project}/rollouts/new`, login, (context) => rolloutWizard(context, parts, named(context)));
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

/** Returns the host of an origin; an empty string, which is no host, if the origin is invalid. */
function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : '';
}

/** Puts redirects below the base path. {@link show} does the same for the links of a page. */
function belowBasePath({ basePath }: ServerParts): MiddlewareHandler<PageEnv> {
  return async (context, next) => {
    context.set('basePath', basePath);
    await next();
    const location = context.res.headers.get('Location');
    if (location?.startsWith('/')) context.header('Location', basePath + location);
  };
}
