import type { RolloutAction } from '../../../../api/rollout.ts';
import { rolloutInfoSchema } from '../../../../api/rollout-info.ts';
import type { Declaration } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { destructive } from '../../../shared/confirmation.ts';
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

const questions = {
  abort: 'Abort the rollout of',
  rollback: 'Return the updated devices to the previous release of',
} as const;
const destructiveActions = ['abort', 'rollback'] as const;

const yesIn = (action: RolloutAction) => (action in questions ? ' --yes' : '');

const actionCommand = (declaration: Declaration, action: RolloutAction) =>
  serverCommand(declaration, `${action} <project>`, descriptions[action], [
    `ota-hooks server rollouts ${action} door${yesIn(action)} --server https://ota.example.com`,
    `ota-hooks server rollouts ${action} door --channel beta --reason "as agreed"${yesIn(action)}`,
  ])
    .addOption(rolloutOptions.id)
    .addOption(rolloutOptions.channel)
    .option('--reason <text>', 'Reason shown in the rollout history and the audit log');

type ActionOptions = ReturnType<ReturnType<typeof actionCommand>['opts']> & { readonly acceptFailures?: true };

/** Declares `server rollouts pause`, `resume`, `advance`, `abort` and `rollback`. */
export function declareRolloutActions(declaration: Declaration): void {
  const { io } = declaration;
  for (const action of ['pause', 'advance'] as const) {
    actionCommand(declaration, action).action((project, options) => act(project, action, options, io));
  }
  for (const action of destructiveActions) {
    const question = (project: string) => `${questions[action]} ${project}?`;
    destructive(actionCommand(declaration, action), io, question).action((project, options) =>
      act(project, action, options, io),
    );
  }
  actionCommand(declaration, 'resume')
    .option('--accept-failures', 'Accept all current failures, so that they do not halt the rollout again')
    .action((project, options) => act(project, 'resume', options, io));
}

async function act(project: string, action: RolloutAction, options: ActionOptions, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const { reason, acceptFailures } = options;
  const path = `${await rolloutPath(client, project, options)}/${action}`;
  const rollout = await client.request('POST', path, rolloutInfoSchema, { reason, acceptFailures });
  client.report.result(`server rollouts ${action}`, rollout, describeRollout(rollout));
}
