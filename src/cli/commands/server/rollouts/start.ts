import { InvalidArgumentError } from '@commander-js/extra-typings';
import { approvalInfoSchema } from '../../../../api/approvals.ts';
import { defaultChannel } from '../../../../api/release.ts';
import type { RolloutRequest } from '../../../../api/rollout.ts';
import { rolloutInfoSchema } from '../../../../api/rollout-info.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { allowLockOutOption } from '../../../shared/allowed-rules.ts';
import { duration, percentage, positiveInteger } from '../../../shared/option-values.ts';
import { requestedText } from '../approvals.ts';
import { segment, serverClient, serverCommand } from '../connection.ts';
import { stages } from './stage.ts';
import { describeRollout, forgeryWarning } from './view.ts';

const startCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'start <project> <version>', 'Start a rollout at its first stage', [
    'ota-hooks server rollouts start door 1.4.3 --stage canary=front-door --stage 10 --stage 50 --stage 100',
    'ota-hooks server rollouts start door 1.4.3 --window 01:00-05:00 --time-zone Europe/Berlin --per-hour 500',
  ])
    .option('--channel <name>', 'Channel of the rollout', defaultChannel)
    .option(
      '--stage <what>',
      'Stage: a percentage, canary=NAME or group=NAME, separated by commas; repeat for each stage (default: 5, 20, 50, 100)',
      stages,
    )
    .option(
      '--running <percent>',
      'Percentage of devices in open stages that must run the release before the next stage opens (default: 90)',
      percentage,
    )
    .option(
      '--soak <time>',
      'Time for which devices must run the release before the next stage opens, such as 90s, 10m, 2h or 1d (default: 10m)',
      duration,
    )
    .option('--halt-failures <n>', 'Halt when this many devices fail (default: 5)', positiveInteger)
    .option('--halt-percent <percent>', 'Halt when this percentage of finished devices fails (default: 10)', percentage)
    .option(
      '--halt-sample <n>',
      'Finished devices required before --halt-percent applies (default: 10)',
      positiveInteger,
    )
    .option(
      '--halt-not-confirmed <n>',
      'Halt when this many devices fail to confirm the update (default: 2)',
      positiveInteger,
    )
    .option('--window <from-to>', 'Send the release only at this time of day, such as 01:00-05:00', window)
    .option('--time-zone <name>', 'Time zone of --window, such as Europe/Berlin (default: UTC)')
    .option('--per-hour <n>', 'Maximum number of devices to which the release is sent within an hour', positiveInteger)
    .addOption(allowLockOutOption)
    .option('--request-approval', 'Do not start the rollout before a second person has approved it');

/** Parses a window of time such as `01:00-05:00`. */
function window(value: string): { readonly from: string; readonly to: string } {
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(value) ?? [];
  if (from !== undefined && to !== undefined) return { from, to };
  throw new InvalidArgumentError('must be two times of day, such as 01:00-05:00');
}

type StartOptions = OptionsOf<typeof startCommand>;

export function declareRolloutStart(declaration: Declaration): void {
  startCommand(declaration).action((project, version, options) => start(project, version, options, declaration.io));
}

async function start(project: string, version: string, options: StartOptions, io: Io): Promise<void> {
  if (options.timeZone !== undefined && options.window === undefined) {
    throw new OtaError('OPTION_MISSING', { subject: '--time-zone', wanted: '--window FROM-TO' });
  }
  const { request, report } = serverClient(options, io);
  const wanted: RolloutRequest = {
    version,
    allow: options.allow,
    channel: options.channel,
    stages: options.stage,
    gate: { runningPercent: options.running, soakMs: options.soak },
    halt: {
      failures: options.haltFailures,
      failurePercent: options.haltPercent,
      minimumSample: options.haltSample,
      notConfirmed: options.haltNotConfirmed,
    },
    window: options.window && { ...options.window, timeZone: options.timeZone },
    perHour: options.perHour,
  };
  if (options.requestApproval === true) {
    const path = `/projects/${segment(project)}/approvals/rollouts`;
    const pending = await request('POST', path, approvalInfoSchema, wanted);
    return report.result('server rollouts start', pending, requestedText(project, pending));
  }
  const rollout = await request('POST', `/projects/${segment(project)}/rollouts`, rolloutInfoSchema, wanted);
  const warning = forgeryWarning(rollout);
  if (warning !== undefined) report.warn(warning);
  report.result('server rollouts start', rollout, describeRollout(rollout));
}
