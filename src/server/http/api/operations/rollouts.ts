import * as v from 'valibot';
import { resourceName } from '../../../../api/release.ts';
import { rolloutActionSchema, rolloutRequestSchema, rolloutStates } from '../../../../api/rollout.ts';
import { memberSelections, rolloutDevicesSchema, rolloutInfoSchema } from '../../../../api/rollout-info.ts';
import { devicePosition } from './device-position.ts';
import { integerText, listLimit } from './integer-text.ts';
import { operation } from './operation.ts';

export const rolloutOperations = {
  list: operation({
    id: 'listRollouts',
    group: 'rollouts',
    method: 'get',
    path: '/projects/{project}/rollouts',
    summary: 'Lists the rollouts of a project, newest first.',
    action: 'view',
    query: v.strictObject({
      limit: listLimit(100, 20),
      state: v.optional(v.picklist(rolloutStates, `must be ${rolloutStates.join(', ')}`)),
      channel: v.optional(resourceName),
    }),
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
    problems: ['blocked', 'conflict'],
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
  devices: operation({
    id: 'listRolloutDevices',
    group: 'rollouts',
    method: 'get',
    path: '/projects/{project}/rollouts/{rolloutId}/devices',
    summary: 'Lists devices of a rollout, each with the reason for its status.',
    description:
      'The status `waiting` selects the devices in the open stages that do not count as updated. The devices are ordered by MAC. If the rollout has ended, they are listed as they were at that time, and the response is `conflict` if they are not stored.',
    action: 'view',
    query: v.strictObject({
      stage: v.optional(v.pipe(integerText(1, 20), v.description('Number of the stage. If absent, all stages.'))),
      status: v.optional(
        v.pipe(v.picklist(memberSelections), v.description('Status of the devices. If absent, all devices.')),
      ),
      after: devicePosition,
      limit: listLimit(1000, 100),
    }),
    statuses: [200],
    response: rolloutDevicesSchema,
    problems: ['conflict'],
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
