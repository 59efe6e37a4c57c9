import * as v from 'valibot';
import { rolloutActionSchema, rolloutRequestSchema } from '../../../../api/rollout.ts';
import { rolloutInfoSchema } from '../../../../api/rollout-info.ts';
import { listLimit } from './integer-text.ts';
import { operation } from './operation.ts';

export const rolloutOperations = {
  list: operation({
    id: 'listRollouts',
    group: 'rollouts',
    method: 'get',
    path: '/projects/{project}/rollouts',
    summary: 'Lists the rollouts of a project, newest first.',
    action: 'view',
    query: v.strictObject({ limit: listLimit(100, 20) }),
    statuses: [200],
    response: v.strictObject({ rollouts: v.array(rolloutInfoSchema) }),
  }),
  start: operation({
    id: 'startRollout',
    group: 'rollouts',
    method: 'post',
    path: '/projects/{project}/rollouts',
    summary: 'Starts a rollout of a release.',
    action: 'rollouts',
    body: rolloutRequestSchema,
    statuses: [201],
    response: rolloutInfoSchema,
    problems: ['conflict'],
  }),
  show: operation({
    id: 'getRollout',
    group: 'rollouts',
    method: 'get',
    path: '/projects/{project}/rollouts/{rolloutId}',
    summary: 'Returns a rollout with its progress.',
    action: 'view',
    statuses: [200],
    response: rolloutInfoSchema,
  }),
  act: operation({
    id: 'controlRollout',
    group: 'rollouts',
    method: 'post',
    path: '/projects/{project}/rollouts/{rolloutId}/{action}',
    summary: 'Pauses, resumes, advances, aborts or rolls back a rollout.',
    description: 'The action `advance` opens the next stage immediately.',
    action: 'rollouts',
    body: rolloutActionSchema,
    statuses: [200],
    response: rolloutInfoSchema,
    problems: ['conflict'],
  }),
} as const;
