import { auditResponse } from '../../../api/client/responses.ts';
import type { Declaration, OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import { agoOf } from '../../output/time-text.ts';
import { integerBetween } from '../../shared/option-values.ts';
import { serverClient, serverCommand } from './connection.ts';

const auditCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'audit', 'Show the audit log, newest first', [
    'ota-hooks server audit --server https://ota.example.com',
    'ota-hooks server audit --limit 1000 --json',
  ]).option('--limit <n>', 'Maximum number of entries, up to 1000', integerBetween(1, 1000), 200);

export function declareAudit(declaration: Declaration): void {
  auditCommand(declaration).action((options) => audit(options, declaration.io));
}

async function audit(options: OptionsOf<typeof auditCommand>, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { entries } = await request('GET', `/audit?limit=${options.limit}`, auditResponse);
  const rows = entries.map(({ at, actor, actorName, action, project, detail }) => [
    agoOf(at),
    actorName ?? actor,
    action,
    project ?? '-',
    JSON.stringify(detail),
  ]);
  report.result('server audit', entries, table([['time', 'actor', 'action', 'project', 'detail'], ...rows]));
}
