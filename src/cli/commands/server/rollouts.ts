import { Option } from '@commander-js/extra-typings';
import { defaultChannel } from '../../../api/release.ts';
import type { RolloutAction, RolloutRequest } from '../../../api/rollout.ts';
import type { RolloutInfo } from '../../../api/rollout-info.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { collect, commandGroup, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { type ServerCommandOptions, segment, serverCommand, talkTo } from './connection.ts';
import { count, durationMs, percent } from './quantities.ts';
import { describeRollout, rolloutTable } from './rollout-view.ts';
import { readStage } from './stage-words.ts';

interface StartOptions extends ServerCommandOptions {
  readonly channel: string;
  readonly stage?: readonly string[] | undefined;
  readonly running?: string | undefined;
  readonly soak?: string | undefined;
  readonly haltFailures?: string | undefined;
  readonly haltPercent?: string | undefined;
  readonly haltSample?: string | undefined;
  readonly haltNotConfirmed?: string | undefined;
}

interface ActOptions extends ServerCommandOptions {
  readonly id?: string | undefined;
  readonly channel: string;
  readonly reason?: string | undefined;
  readonly acceptFailures?: boolean | undefined;
}

/** Declares `server rollouts …`. */
export function declareRollout({ program, io }: Declaration): void {
  const group = commandGroup(program, 'rollouts', 'Manage staged rollouts', [
    'ota-hooks server rollouts start door 1.4.3 --server https://ota.example.com',
    'ota-hooks server rollouts show --help',
  ]);
  serverCommand({ program: group, io }, 'start <project> <version>', 'Start a rollout with its first stage', [
    'ota-hooks server rollouts start door 1.4.3 --stage canary=front-door --stage 10 --stage 50 --stage 100',
    'ota-hooks server rollouts start door 1.4.3 --soak 2h --halt-not-confirmed 1 --server https://ota.example.com',
  ])
    .option('--channel <name>', 'Channel of the rollout', defaultChannel)
    .option(
      '--stage <what>',
      'Stage: a percentage, canary=NAME or group=NAME, separated by commas; repeat for each stage (default: 5, 20, 50, 100)',
      collect,
    )
    .option(
      '--running <percent>',
      'Percentage of devices in open stages that must run the release before the next stage opens (default: 90)',
    )
    .option('--soak <time>', 'Time that these devices must run the release, such as 90s, 10m, 2h or 1d (default: 10m)')
    .option('--halt-failures <n>', 'Halt when this many devices failed (default: 5)')
    .option('--halt-percent <percent>', 'Halt when this percentage of finished devices failed (default: 10)')
    .option('--halt-sample <n>', 'Finished devices required before --halt-percent applies (default: 10)')
    .option('--halt-not-confirmed <n>', 'Halt when this many devices did not confirm the update (default: 2)')
    .action((project, version, options) => start(project, version, options, io));
  serverCommand({ program: group, io }, 'list <project>', 'List rollouts, newest first', [
    'ota-hooks server rollouts list door --server https://ota.example.com',
    'ota-hooks server rollouts list door --json',
  ]).action((project, options) => list(project, options, io));
  serverCommand({ program: group, io }, 'show <project>', 'Show the progress of a rollout', [
    'ota-hooks server rollouts show door --server https://ota.example.com',
    'ota-hooks server rollouts show door --id 7 --json',
  ])
    .addOption(idOption())
    .addOption(channelOption())
    .action((project, options) => show(project, options, io));
  for (const { action, description } of actions) {
    const declared = serverCommand({ program: group, io }, `${action} <project>`, description, [
      `ota-hooks server rollouts ${action} door --server https://ota.example.com`,
      `ota-hooks server rollouts ${action} door --channel beta --reason "as agreed"`,
    ])
      .addOption(idOption())
      .addOption(channelOption())
      .option('--reason <text>', 'Reason for the rollout history and the audit log');
    if (action === 'resume') {
      declared
        .option('--accept-failures', 'Accept the failures so far, so that they do not halt the rollout again')
        .action((project, options) => act(project, action, options, io));
    } else declared.action((project, options) => act(project, action, options, io));
  }
}

const actions: readonly { readonly action: RolloutAction; readonly description: string }[] = [
  { action: 'pause', description: 'Pause a rollout; no further devices are updated until it is resumed' },
  { action: 'resume', description: 'Resume a paused or halted rollout' },
  { action: 'advance', description: 'Open the next stage now' },
  { action: 'abort', description: 'Abort a rollout; devices already updated keep the release' },
  { action: 'rollback', description: 'Return updated devices to the previous release where that is safe' },
];

function idOption() {
  return new Option('--id <n>', 'ID of the rollout (default: newest on the channel)');
}

function channelOption() {
  return new Option('--channel <name>', 'Channel of the rollout').default(defaultChannel);
}

async function start(project: string, version: string, options: StartOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const request: RolloutRequest = {
    version,
    channel: options.channel,
    stages: options.stage?.map(readStage),
    gate: { runningPercent: percent('--running', options.running), soakMs: durationMs('--soak', options.soak) },
    halt: {
      failures: count('--halt-failures', options.haltFailures),
      failurePercent: percent('--halt-percent', options.haltPercent),
      minimumSample: count('--halt-sample', options.haltSample),
      notConfirmed: count('--halt-not-confirmed', options.haltNotConfirmed),
    },
  };
  const rollout = await ask<RolloutInfo>('POST', `/projects/${segment(project)}/rollouts`, request);
  report.result('server rollouts start', rollout, describeRollout(rollout));
}

async function list(project: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const { rollouts } = await ask<{ rollouts: RolloutInfo[] }>('GET', `/projects/${segment(project)}/rollouts`);
  report.result('server rollouts list', rollouts, rolloutTable(rollouts));
}

async function show(
  project: string,
  options: ServerCommandOptions & { id?: string | undefined; channel: string },
  io: Io,
): Promise<void> {
  const talk = talkTo(options, io);
  const path = `/projects/${segment(project)}/rollouts/${await idOf(talk.ask, project, options)}`;
  const rollout = await talk.ask<RolloutInfo>('GET', path);
  talk.report.result('server rollouts show', rollout, describeRollout(rollout));
}

async function act(project: string, action: RolloutAction, options: ActOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const { reason, acceptFailures } = options;
  const path = `/projects/${segment(project)}/rollouts/${await idOf(ask, project, options)}/${action}`;
  const rollout = await ask<RolloutInfo>('POST', path, { reason, acceptFailures });
  report.result(`server rollouts ${action}`, rollout, describeRollout(rollout));
}

/** Returns the given id, or that of the newest rollout on the channel. */
async function idOf(
  ask: ReturnType<typeof talkTo>['ask'],
  project: string,
  { id, channel }: { readonly id?: string | undefined; readonly channel: string },
): Promise<number> {
  if (id !== undefined) return count('--id', id) ?? 0;
  const { rollouts } = await ask<{ rollouts: RolloutInfo[] }>('GET', `/projects/${segment(project)}/rollouts`);
  const newest = rollouts.find((rollout) => rollout.channel === channel);
  if (newest !== undefined) return newest.id;
  throw new OtaError('ROLLOUT_NOT_FOUND', { project, channel });
}
