import { type TokenInfo, tokenInfoSchema } from '../../../api/admin-info.ts';
import type { DeepReadonly } from '../../../core/model/fields.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { properties } from '../../output/text-block.ts';
import { type ServerCommandOptions, serverClient, serverCommand } from '../server/connection.ts';

export function declareWhoami(declaration: Declaration) {
  return serverCommand(declaration, 'whoami', 'Show which token a server receives from you', [
    'ota-hooks whoami --server https://ota.example.com',
    'ota-hooks whoami --json',
  ]).action((options) => whoami(options, declaration.io));
}

async function whoami(options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report, place } = serverClient(options, io);
  const info = await request('GET', '/token', tokenInfoSchema);
  const { id, name, roles, channels, project } = info;
  report.result('whoami', tokenDocument(place.url.origin, info), [
    properties([
      ['name', name],
      ['token', id],
      ['role', roles.join(', ')],
      ['channels', channels.length === 0 ? '-' : channels.join(', ')],
      ['project', project ?? 'all'],
      ['server', place.url.origin],
    ]),
  ]);
}

/** Returns the JSON output of `whoami` and `login`. */
export function tokenDocument(server: string, { id, name, roles, channels, project }: DeepReadonly<TokenInfo>) {
  return { server, id, name, roles: [...roles], channels: [...channels], ...(project !== undefined && { project }) };
}

/** Describes a token in one line. */
export function tokenText({ name, roles, project }: DeepReadonly<TokenInfo>): string {
  return `${name} (${roles.join(', ')}${project === undefined ? '' : `, project ${project}`})`;
}
