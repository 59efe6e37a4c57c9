import { rolloutInfoSchema } from '../../../../api/rollout-info.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { serverClient, serverCommand } from '../connection.ts';
import { rolloutOptions, rolloutPath } from './rollout-path.ts';
import { describeRollout } from './view.ts';

const showCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'show <project>', 'Show the progress of a rollout', [
    'ota-hooks server rollouts show door --server https://ota.example.com',
    'ota-hooks server rollouts show door --id 7 --json',
  ])
    .addOption(rolloutOptions.id)
    .addOption(rolloutOptions.channel);

export function declareRolloutShow(declaration: Declaration): void {
  showCommand(declaration).action((project, options) => show(project, options, declaration.io));
}

async function show(project: string, options: OptionsOf<typeof showCommand>, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const rollout = await client.request('GET', await rolloutPath(client, project, options), rolloutInfoSchema);
  client.report.result('server rollouts show', rollout, describeRollout(rollout));
}
