import { Hono } from 'hono';
import { apiRoot, apiVersion, apiVersionHeader } from '../../../api/release.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { dashboard } from '../dashboard/dashboard.tsx';
import { approvalRoutes } from './approvals.ts';
import { deviceRoutes } from './devices.ts';
import { monitoringRoutes } from './monitoring.ts';
import { documentPath, openApiDocument } from './open-api.ts';
import { bodyOf, problemHeaders, problemOf, statusOf } from './problem-of.ts';
import { projectRoutes } from './projects.ts';
import { releaseRoutes } from './releases.ts';
import { rolloutRoutes } from './rollouts.ts';
import { addRoutes } from './routes.ts';
import { serverRoutes } from './server.ts';
import type { Session } from './session.ts';
import { signatureRoutes } from './signatures.ts';
import { tokenRoutes } from './tokens.ts';
import { uploadRoutes } from './uploads.ts';
import { webhookRoutes } from './webhooks.ts';

/** Builds the API and the dashboard: all routes except the device endpoints. */
export function makeApi(parts: ServerParts): Hono<Session> {
  const api = new Hono<Session>();
  api.use(async (context, next) => {
    await next();
    if (!context.res.headers.has('Cache-Control')) context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
    if (context.req.path.startsWith('/api/')) context.header(apiVersionHeader, String(apiVersion));
  });
  // No value in a URL can contain a NUL character, which PostgreSQL rejects.
  api.use(async (context, next) => {
    if (/%00/.test(context.req.url)) {
      throw new DomainError('bad-request', 'the URL contains a NUL character', 'Remove %00 from the URL.');
    }
    await next();
  });
  api.use(async (context, next) => {
    if (parts.stopping.aborted && context.req.method !== 'GET') {
      throw new DomainError('shutting-down', 'the server is stopping', 'Try again in a minute.');
    }
    await next();
  });
  api.route('/', monitoringRoutes(parts));

  const v1 = new Hono<Session>();
  const rooms = [
    serverRoutes,
    projectRoutes,
    releaseRoutes,
    signatureRoutes,
    rolloutRoutes,
    approvalRoutes,
    deviceRoutes,
    uploadRoutes,
    tokenRoutes,
    webhookRoutes,
  ];
  addRoutes(
    v1,
    parts,
    rooms.flatMap((routesOf) => routesOf(parts)),
  );
  api.route(apiRoot, v1);
  api.get(documentPath, (context) => context.json(openApiDocument()));
  api.route('/', dashboard(parts));

  api.notFound((context) => {
    const problem = pathNotFound(context.req.path);
    return context.json(bodyOf(problem), statusOf(problem));
  });
  api.onError((error, context) => {
    const problem = problemOf(error, parts);
    return context.json(bodyOf(problem), statusOf(problem), problemHeaders(problem));
  });
  return api;
}

function pathNotFound(path: string): DomainError {
  const [, wanted] = /^\/api\/v(\d+)\//.exec(path) ?? [];
  if (Number(wanted) > apiVersion) {
    const message = `API version ${wanted} is not supported; this server supports version ${apiVersion}`;
    return new DomainError('not-found', message, 'Update ota-hooks on the server.');
  }
  return new DomainError('not-found', 'path not found', `Check the path: API paths begin with ${apiRoot}/.`);
}
