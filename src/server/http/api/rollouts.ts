import { type Context, Hono } from 'hono';
import * as v from 'valibot';
import { rolloutActionSchema, rolloutActions, rolloutRequestSchema } from '../../../api/rollout.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { requireProject } from './releases.ts';
import { checked, numberIn, readBody, requireAction, type Session } from './session.ts';

const mostListed = 100;
const actionName = v.picklist(rolloutActions, `must be ${rolloutActions.join(', ')}`);
const rolloutId = v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'must be a rollout ID'), v.transform(Number));

export function rolloutRoutes(parts: ServerParts): Hono<Session> {
  const { rollouts, clock } = parts;
  const routes = new Hono<Session>();
  const path = '/projects/:project/rollouts';

  routes.get(path, requireAction(parts, 'view'), async (context) => {
    const limit = Math.max(1, numberIn(context, 'limit', 20, mostListed));
    return context.json({ rollouts: await rollouts.list(projectIn(context), limit) });
  });

  routes.post(path, requireAction(parts, 'rollouts'), async (context) => {
    const project = projectIn(context);
    const request = await readBody(context, rolloutRequestSchema);
    const by = context.get('token').id;
    const question = { project, request, by, now: clock.now() };
    return context.json(await rollouts.start(question), 201);
  });

  routes.get(`${path}/:id`, requireAction(parts, 'view'), async (context) => {
    const id = checked(rolloutId, context.req.param('id'));
    const found = await rollouts.show(projectIn(context), id);
    if (found === undefined)
      throw new DomainError('not-found', `rollout ${id} not found`, 'Check its ID in the list of rollouts.');
    return context.json(found);
  });

  routes.post(`${path}/:id/:action`, requireAction(parts, 'rollouts'), async (context) => {
    const project = projectIn(context);
    const id = checked(rolloutId, context.req.param('id'));
    const action = checked(actionName, context.req.param('action'));
    const request = await readBody(context, rolloutActionSchema);
    return context.json(await rollouts.act(project, id, action, request, context.get('token').id));
  });

  function projectIn(context: Context<Session>): string {
    return requireProject(parts, context.req.param('project') ?? '');
  }

  return routes;
}
