import { type Context, Hono } from 'hono';
import type { ServerParts } from '../../parts.ts';
import type { HealthProblem } from '../../services/health.ts';
import { requireAction, type Session } from './session.ts';

/** Creates the monitoring routes: `/healthz` and `/metrics`. */
export function operationRoutes(parts: ServerParts): Hono<Session> {
  const routes = new Hono<Session>();

  // `/healthz` fails if the server cannot serve devices. `/readyz` also fails if releases cannot be published or if their files are
  // missing.
  const healthCheck = (isSerious: (problem: HealthProblem) => boolean) => async (context: Context<Session>) => {
    if (parts.stopping.aborted) return context.json({ status: 'stopping' }, 503);
    const problems = await parts.health.problems();
    if (problems.length === 0) return context.json({ status: 'ok' });
    if (!problems.some(isSerious)) return context.json({ status: 'degraded', problems });
    return context.json({ status: 'failing', problems }, 503, { 'Retry-After': '60' });
  };
  routes.get(
    '/healthz',
    healthCheck((problem) => problem !== 'uploads-refused' && problem !== 'firmware-missing'),
  );
  routes.get(
    '/readyz',
    healthCheck(() => true),
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
