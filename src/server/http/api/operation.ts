import { Hono } from 'hono';
import type { ServerParts } from '../../parts.ts';
import { requireAction, type Session } from './session.ts';

/** Creates the monitoring routes: `/healthz` and `/metrics`. */
export function operationRoutes(parts: ServerParts): Hono<Session> {
  const routes = new Hono<Session>();

  routes.get('/healthz', (context) =>
    parts.stopping.aborted ? context.json({ status: 'stopping' }, 503) : context.json({ status: 'ok' }),
  );

  const reader = requireAction(parts, 'view', { anyProject: true });
  const metrics = async (project?: string) => {
    const { type, text } = await parts.metrics(project);
    return new Response(text, { headers: { 'Content-Type': type } });
  };
  if (parts.openMetrics) routes.get('/metrics', () => metrics());
  else routes.get('/metrics', reader, (context) => metrics(context.get('token').project));

  return routes;
}
