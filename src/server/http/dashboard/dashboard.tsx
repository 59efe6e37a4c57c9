import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { except } from 'hono/combine';
import { csrf } from 'hono/csrf';
import { mostNotesLength } from '../../../api/release.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { pageHeaders } from '../page-headers.ts';
import { addDevices, addDevicesPage } from './add-devices-page.tsx';
import { apiPage } from './api-page.tsx';
import { approvalsPage, approveFromPage, declineFromPage } from './approvals-page.tsx';
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
import { loginRoutes, refuseForm } from './login.tsx';
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
import { createProject, saveSettings, settingsPage } from './settings-page.tsx';
import { createFromPage, revokeFromPage, tokensPage } from './tokens-page.tsx';
import { addFromPage, redeliverFromPage, removeFromPage, webhookPage, webhooksPage } from './webhooks-page.tsx';

/** All dashboard paths. Device requests use other paths. */
const places = [
  ...['/', '/api', '/audit', '/login', '/logout', '/events', '/assets/*', '/projects/*'],
  ...['/tokens/*', '/webhooks/*'],
];
const mostFormBytes = 16 * 1024;
const formLimit = bodyLimit({ maxSize: mostFormBytes });

/** Form that contains files, so it may be larger than others. It is read only after the login and the role were checked. */
const publishPath = '/projects/:project/releases/new';
const notesPath = '/projects/:project/releases/notes';
/** Maximum size of a form with release notes: URL encoding triples the size of a character that is not ASCII. */
const notesLimit = bodyLimit({ maxSize: 10 * mostNotesLength });
/** Maximum size of the login form, which may contain a form with release notes that was sent after its session had ended. */
const mostLoginBytes = 11 * mostNotesLength;

/** Creates the dashboard. Its pages are readable without JavaScript and load nothing from other sites. */
export function dashboard(parts: ServerParts): Hono<PageEnv> {
  const sessions = new Sessions(parts.store.sessions);
  const app = new Hono<PageEnv>();
  for (const place of places) {
    app.use(place, pageHeaders);
    app.use(place, belowBasePath(parts));
    // Compare only the hosts: a proxy that terminates TLS changes https://name to http://name.
    app.use(
      place,
      csrf({ origin: (origin, context) => hostsOf(context as PageContext, parts).includes(hostOf(origin)) }),
    );
    app.post(
      place,
      except([publishPath, notesPath, '/login'], refuseAnnounced(mostFormBytes), withStandardRequest, formLimit),
    );
  }
  app.route('/', assetRoutes());
  app.post('/login', refuseAnnounced(mostLoginBytes), withStandardRequest, bodyLimit({ maxSize: mostLoginBytes }));
  app.route('/', loginRoutes(parts, sessions));
  app.route('/', eventRoutes(parts, sessions));

  const login = requireLogin({ parts, sessions, refuseForm: (context) => refuseForm(context, parts, sessions) });
  const named = (context: PageContext, name = 'project') => context.req.param(name) ?? '';
  app.get('/', login, (context) => overviewPage(context, parts));
  app.get('/api', login, apiPage);
  app.get('/audit', login, (context) => auditPage(context, parts));
  app.get('/tokens', login, (context) => tokensPage(context, parts));
  app.post('/tokens', login, (context) => createFromPage(context, parts));
  app.post('/tokens/:token/revoke', login, (context) => revokeFromPage(context, parts, named(context, 'token')));
  app.get('/webhooks', login, (context) => webhooksPage(context, parts));
  app.post('/webhooks', login, (context) => addFromPage(context, parts));
  app.get('/webhooks/:id', login, (context) => webhookPage(context, parts, named(context, 'id')));
  app.post('/webhooks/:id/remove', login, (context) => removeFromPage(context, parts, named(context, 'id')));
  app.post('/webhooks/:id/deliveries/:delivery/redeliver', login, (context) =>
    redeliverFromPage(context, parts, named(context, 'id'), named(context, 'delivery')),
  );
  app.post('/projects', login, (context) => createProject(context, parts));
  const project = '/projects/:project';
  app.get(project, login, (context) => context.redirect(projectPath(named(context), 'devices'), 303));
  app.get(`${project}/devices`, login, (context) => fleetPage(context, parts, named(context)));
  app.get(`${project}/devices.csv`, login, (context) => fleetCsv(context, parts, named(context)));
  app.post(`${project}/devices/bulk`, login, (context) => askBulk(context, parts, named(context)));
  app.post(`${project}/devices/bulk/confirm`, login, (context) => doBulk(context, parts, named(context)));
  app.get(`${project}/settings`, login, (context) => settingsPage(context, parts, named(context)));
  app.post(`${project}/settings`, login, (context) => saveSettings(context, parts, named(context)));
  app.get(`${project}/charts`, login, (context) => chartsPage(context, parts, named(context)));
  app.get(`${project}/devices/new`, login, (context) => addDevicesPage(context, named(context)));
  app.post(`${project}/devices/new`, login, (context) => addDevices(context, parts, named(context)));
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
  app.post(notesPath, withStandardRequest, notesLimit, login, (context) => saveNotes(context, parts, named(context)));
  app.post(`${project}/releases/promote`, login, (context) => promoteRelease(context, parts, named(context)));
  app.post(`${project}/releases/yank`, login, (context) => yankRelease(context, parts, named(context)));
  app.get(`${project}/approvals`, login, (context) => approvalsPage(context, parts, named(context)));
  app.post(`${project}/approvals/:approval/approve`, login, (context) =>
    approveFromPage(context, parts, named(context), named(context, 'approval')),
  );
  app.post(`${project}/approvals/:approval/decline`, login, (context) =>
    declineFromPage(context, parts, named(context), named(context, 'approval')),
  );
  app.get(`${project}/rollouts`, login, (context) => rolloutsPage(context, parts, named(context)));
  app.post(`${project}/rollouts`, login, (context) => startFromPage(context, parts, named(context)));
  app.get(`${project}/rollouts/new`, login, (context) => rolloutWizard(context, parts, named(context)));
  app.get(`${project}/rollouts/:id`, login, (context) =>
    rolloutPage(context, parts, named(context), named(context, 'id')),
  );
  app.post(`${project}/rollouts/:id/:action`, login, (context) =>
    actOnRollout(context, parts, named(context), [named(context, 'id'), named(context, 'action')]),
  );
  app.on('ALL', ['/projects/*', '/tokens/*', '/webhooks/*'], login, () => {
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
