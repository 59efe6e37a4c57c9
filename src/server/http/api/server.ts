import { apiVersion } from '../../../api/release.ts';
import { toolVersion } from '../../../version.ts';
import { serverOperations } from './operations/server.ts';
import { type Route, route } from './routes.ts';
import { tokenInfo } from './token-info.ts';

export function serverRoutes(): readonly Route[] {
  return [
    route(serverOperations.show, ({ token: { roles, channels } }) => {
      const about = { name: 'ota-hooks', version: toolVersion, api: apiVersion } as const;
      return { ...about, roles, channels };
    }),

    route(serverOperations.token, ({ token }) => tokenInfo(token)),
  ];
}
