import { Option } from '@commander-js/extra-typings';
import { rolloutsResponse } from '../../../../api/client/responses.ts';
import { rolloutStates } from '../../../../api/rollout.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { integerBetween } from '../../../shared/option-values.ts';
import { queryText, segment, serverClient, serverCommand } from '../connection.ts';
import { rolloutTable } from './view.ts';

const listCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'list <project>', 'List rollouts, newest first', [
    'ota-hooks server rollouts list door --server https://ota.example.com',
    'ota-hooks server rollouts list door --status halted --json',
  ])
    .addOption(new Option('--status <state>', 'Only rollouts in this state').choices(rolloutStates))
    .option('--channel <name>', 'Only rollouts on this channel')
    .option('--limit <n>', 'Maximum number of rollouts, up to 100', integerBetween(1, 100), 20);

export function declareRolloutList(declaration: Declaration): void {
  listCommand(declaration).action((project, options) => list(project, options, declaration.io));
}

async function list(project: string, options: OptionsOf<typeof listCommand>, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { status: state, channel, limit } = options;
  const path = `/projects/${segment(project)}/rollouts${queryText({ state, channel, limit })}`;
  const { rollouts } = await request('GET', path, rolloutsResponse);
  report.result('server rollouts list', rollouts, rolloutTable(rollouts));
}
