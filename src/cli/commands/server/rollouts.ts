import { Option } from '@commander-js/extra-typings';
import { defaultChannel } from '../../../api/release.ts';
import type { RolloutAction, RolloutRequest } from '../../../api/rollout.ts';
import type { RolloutInfo } from '../../../api/rollout-info.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { collect, commandGroup, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { type ServerOptions, segment, serverCommand, talkTo } from './connection.ts';
import { count, durationMs, percent } from './quantities.ts';
import { describeRollout, rolloutTable } from './rollout-view.ts';
import { readStage } from './stage-words.ts';

interface StartOptions extends ServerOptions {
  readonly channel: string;
  readonly stage?: readonly string[] | undefined;
  readonly running?: string | undefined;
  readonly soak?: string | undefined;
  readonly haltFailures?: string | undefined;
  readonly haltPercent?: string | undefined;
  readonly haltSample?: string | undefined;
  readonly haltVanished?: string | undefined;
}

interface ActOptions extends ServerOptions {
  readonly id?: string | undefined;
  readonly channel: string;
  readonly reason?: string | undefined;
  readonly acceptFailures?: boolean | undefined;
}

/** Declares `server rollouts …`. */
export function declareRollout({ program, io }: Declaration): void {
  const group = commandGroup(program, 'rollouts', 'let a release go round stage by stage, and stop it', [
    'ota-hooks server rollouts start door 1.4.3 --server https://ota.example.com',
    'ota-hooks server rollouts show --help',
  ]);
  serverCommand({ program: group, io }, 'start <project> <version>', 'begin with the first stage', [
    'ota-hooks server rollouts start door 1.4.3 --stage canary=front-door --stage 10 --stage 50 --stage 100',
    'ota-hooks server rollouts start door 1.4.3 --soak 2h --halt-vanished 1 --server https://ota.example.com',
  ])
    .option('--channel <name>', 'the channel', defaultChannel)
    .option(
      '--stage <what>',
      'a share in percent, canary=NAME or group=NAME, joined by commas; once a stage (default: 5, 20, 50, 100)',
      collect,
    )
    .option('--running <percent>', 'so many of the open stages have to run it before the next one opens (default: 90)')
    .option('--soak <time>', 'and for so long, such as 90s, 10m, 2h, 1d (default: 10m)')
    .option('--halt-failures <n>', 'halt when so many devices failed (default: 5)')
    .option('--halt-percent <percent>', 'halt when so many of those that came to an end failed (default: 10)')
    .option('--halt-sample <n>', 'a percentage counts from so many on (default: 10)')
    .option('--halt-vanished <n>', 'halt when so many took all of it and were not heard of again (default: 2)')
    .action((project, version, options) => start(project, version, options, io));
  serverCommand({ program: group, io }, 'list <project>', 'show the rollouts, the newest first', [
    'ota-hooks server rollouts list door --server https://ota.example.com',
    'ota-hooks server rollouts list door --json',
  ]).action((project, options) => list(project, options, io));
  serverCommand({ program: group, io }, 'show <project>', 'how the newest one goes on, and what it waits for', [
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
      .option('--reason <text>', 'for the history and the audit log');
    if (action === 'resume') {
      declared
        .option('--accept-failures', 'of a halted one: those that failed so far do not halt it again')
        .action((project, options) => act(project, action, options, io));
    } else declared.action((project, options) => act(project, action, options, io));
  }
}

const actions: readonly { readonly action: RolloutAction; readonly description: string }[] = [
  { action: 'pause', description: 'nobody else gets it until it is resumed' },
  { action: 'resume', description: 'go on with a paused or halted one' },
  { action: 'advance', description: 'open the next stage now' },
  { action: 'abort', description: 'nobody else ever gets it; who has it keeps it' },
  { action: 'rollback', description: 'who has it gets the former release again, where it is safe' },
];

function idOption() {
  return new Option('--id <n>', 'that one (default: the newest of the channel)');
}

function channelOption() {
  return new Option('--channel <name>', 'of this channel').default(defaultChannel);
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
      vanished: count('--halt-vanished', options.haltVanished),
    },
  };
  const rollout = await ask<RolloutInfo>('POST', `/projects/${segment(project)}/rollouts`, request);
  report.result('server rollouts start', rollout, describeRollout(rollout));
}

async function list(project: string, options: ServerOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const { rollouts } = await ask<{ rollouts: RolloutInfo[] }>('GET', `/projects/${segment(project)}/rollouts`);
  report.result('server rollouts list', rollouts, rolloutTable(rollouts));
}

async function show(
  project: string,
  options: ServerOptions & { id?: string | undefined; channel: string },
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

/** That which is named, or the newest of the channel. */
async function idOf(
  ask: ReturnType<typeof talkTo>['ask'],
  project: string,
  { id, channel }: { readonly id?: string | undefined; readonly channel: string },
): Promise<number> {
  if (id !== undefined) return count('--id', id) ?? 0;
  const { rollouts } = await ask<{ rollouts: RolloutInfo[] }>('GET', `/projects/${segment(project)}/rollouts`);
  const newest = rollouts.find((rollout) => rollout.channel === channel);
  if (newest !== undefined) return newest.id;
  throw new OtaError('USAGE', {
    message: `there was no rollout on ${channel} of ${project} yet`,
    hint: 'Begin one: ota-hooks server rollouts start, or name another --channel.',
  });
}
