import * as v from 'valibot';
import { projectInfoSchema } from '../../../../api/admin-info.ts';
import { keyHoldersSchema } from '../../../../api/key-holders.ts';
import { projectRequestSchema } from '../../../../api/release-admin.ts';
import { operation } from './operation.ts';

export const projectOperations = {
  list: operation({
    id: 'listProjects',
    group: 'projects',
    method: 'get',
    path: '/projects',
    summary: 'Lists the projects that the token may read.',
    action: 'view',
    anyProject: true,
    statuses: [200],
    response: v.strictObject({ projects: v.array(projectInfoSchema) }),
  }),
  show: operation({
    id: 'getProject',
    group: 'projects',
    method: 'get',
    path: '/projects/{project}',
    summary: 'Returns a project.',
    action: 'view',
    statuses: [200],
    response: projectInfoSchema,
  }),
  keys: operation({
    id: 'getKeys',
    group: 'projects',
    method: 'get',
    path: '/projects/{project}/keys',
    summary: 'Returns how many devices of a project hold which signing keys.',
    description: 'The keys of a device are those of the build that it runs, if the server recognizes the build.',
    action: 'view',
    statuses: [200],
    response: keyHoldersSchema,
  }),
  save: operation({
    id: 'saveProject',
    group: 'projects',
    method: 'put',
    path: '/projects/{project}',
    summary: 'Creates a project, or changes its settings.',
    action: 'projects',
    body: projectRequestSchema,
    statuses: [200],
    response: projectInfoSchema,
    problems: ['conflict', 'private-key'],
  }),
} as const;
