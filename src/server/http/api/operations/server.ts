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
} as const;
