import type { RolloutAction } from '../../../../api/rollout.ts';
import { rolloutInfoSchema } from '../../../../api/rollout-info.ts';
import type { Declaration } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { serverClient, serverCommand } from '../connection.ts';
import { rolloutOptions, rolloutPath } from './rollout-path.ts';
import { describeRollout } from './view.ts';

const descriptions: Readonly<Record<RolloutAction, string>> = {
  pause: 'Pause a rollout until it is resumed',
  resume: 'Resume a paused or halted rollout',
  advance: 'Open the next stage now',
  abort: 'Abort a rollout; devices already updated keep the release',
  rollback: 'Return updated devices to the previous release where that is safe',
};

const actionCommand = (declaration: Declaration, action: RolloutAction) =>
  serverCommand(declaration, `${action} <project>`, descriptions[action], [
    `ota-hooks server rollouts ${action} door --server https://ota.example.com`,
    `ota-hooks server rollouts ${action} door --channel beta --reason "as agreed"`,
  ])
    .addOption(rolloutOptions.id)
    .addOption(rolloutOptions.channel)
    .option('--reason <text>', 'Reason shown in the rollout history and the audit log');

type ActionOptions = ReturnType<ReturnType<typeof actionCommand>['opts']> & { readonly acceptFailures?: true };

/** Declares `server rollouts pause`, `resume`, `advance`, `abort` and `rollback`. */
export function declareRolloutActions(declaration: Declaration): void {
  for (const action of ['pause', 'advance', 'abort', 'rollback'] as const) {
    actionCommand(declaration, action).action((project, options) => act(project, action, options, declaration.io));
  }
  actionCommand(declaration, 'resume')
    .option('--accept-failures', 'Accept all current failures, so that they do not halt the rollout again')
    .action((project, options) => act(project, 'resume', options, declaration.io));
}

async function act(project: string, action: RolloutAction, options: ActionOptions, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const { reason, acceptFailures } = options;
  const path = `${await rolloutPath(client, project, options)}/${action}`;
  const rollout = await client.request('POST', path, rolloutInfoSchema, { reason, acceptFailures });
  client.report.result(`server rollouts ${action}`, rollout, describeRollout(rollout));
}
