import { auditResponse } from '../../../api/client/responses.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import { type ServerCommandOptions, serverClient, serverCommand } from './connection.ts';

export function declareAudit({ program, io }: Declaration): void {
  serverCommand({ program, io }, 'audit', 'Show the audit log, newest first', [
    'ota-hooks server audit --server https://ota.example.com',
    'ota-hooks server audit --json',
  ]).action((options) => audit(options, io));
}

async function audit(options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { entries } = await request('GET', '/audit?limit=200', auditResponse);
  const rows = entries.map(({ at, actor, action, project, detail }) => [
    at,
    actor,
    action,
    project ?? '-',
    JSON.stringify(detail),
  ]);
  report.result('server audit', entries, table([['time', 'actor', 'action', 'project', 'detail'], ...rows]));
}
