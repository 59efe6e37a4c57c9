import { rolloutsResponse } from '../../../../api/client/responses.ts';
import type { Declaration } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { type ServerCommandOptions, segment, serverClient, serverCommand } from '../connection.ts';
import { rolloutTable } from './view.ts';

export function declareRolloutList(declaration: Declaration): void {
  serverCommand(declaration, 'list <project>', 'List rollouts, newest first', [
    'ota-hooks server rollouts list door --server https://ota.example.com',
    'ota-hooks server rollouts list door --json',
  ]).action((project, options) => list(project, options, declaration.io));
}

async function list(project: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { rollouts } = await request('GET', `/projects/${segment(project)}/rollouts`, rolloutsResponse);
  report.result('server rollouts list', rollouts, rolloutTable(rollouts));
}
