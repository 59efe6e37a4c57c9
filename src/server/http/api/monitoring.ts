import { Hono } from 'hono';
import type { ServerParts } from '../../parts.ts';
import type { HealthProblem } from '../../services/health.ts';
import { retryAfterSeconds } from '../retry-after.ts';
import { requireAction, type Session } from './session.ts';

/**
 * Problems with which this process cannot serve devices, so a load balancer should use a different one. With any other problem, at least
 * update checks are answered. An outage of the bucket affects all servers, and a load balancer would remove them all.
 */
const serious: ReadonlySet<HealthProblem> = new Set([
  'database-removed',
  'records-unwritable',
  'files-unreachable',
  'disk-full',
]);

/** Creates the monitoring routes: `/healthz` and `/metrics`. */
export function monitoringRoutes(parts: ServerParts): Hono<Session> {
  const routes = new Hono<Session>();

  // Tells a supervisor that the process is alive and still has its data. A restart would not help against any other problem.
  routes.get('/healthz', async (context) => {
    if (parts.stopping.aborted) return context.json({ status: 'stopping' }, 503);
    const problems = await parts.health.losses();
    if (problems.length === 0) return context.json({ status: 'ok' });
    return context.json({ status: 'failing', problems }, 503);
  });
  // Tells a load balancer whether this process can serve devices.
  routes.get('/readyz', async (context) => {
    if (parts.stopping.aborted) return context.json({ status: 'stopping' }, 503);
    const problems = await parts.health.problems();
    if (problems.length === 0) return context.json({ status: 'ok' });
    if (!problems.some((problem) => serious.has(problem))) return context.json({ status: 'degraded', problems });
    return context.json({ status: 'failing', problems }, 503, { 'Retry-After': String(retryAfterSeconds) });
  });

  const reader = requireAction(parts, 'view', { anyProject: true });
  const metrics = async (project?: string) => {
    const { type, text } = await parts.metrics(project);
    return new Response(text, { headers: { 'Content-Type': type } });
  };
  if (parts.openMetrics) routes.get('/metrics', () => metrics());
  else routes.get('/metrics', reader, (context) => metrics(context.get('token').project));

  return routes;
}
