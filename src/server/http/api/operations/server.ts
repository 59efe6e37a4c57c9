import { tokenInfoSchema } from '../../../../api/admin-info.ts';
import { serverInfoSchema } from '../../../../api/release.ts';
import { operation } from './operation.ts';

export const serverOperations = {
  show: operation({
    id: 'getServer',
    group: 'server',
    method: 'get',
    path: '/server',
    summary: 'Returns the version of the server and the roles of the token.',
    action: 'view',
    anyProject: true,
    statuses: [200],
    response: serverInfoSchema,
  }),
  token: operation({
    id: 'getToken',
    group: 'server',
    method: 'get',
    path: '/token',
    summary: 'Returns the token of the request, without its secret.',
    action: 'view',
    anyProject: true,
    statuses: [200],
    response: tokenInfoSchema,
  }),
} as const;
