import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { type ProjectInfo, projectInfoSchema } from '../../../api/admin-info.ts';
import { approvalModes } from '../../../api/approvals.ts';
import { projectsResponse } from '../../../api/client/responses.ts';
import { mostHistoryDays, type ProjectRequest } from '../../../api/release-admin.ts';
import { counted, countText, exactDuration } from '../../../core/model/quantity-text.ts';
import { readNamedFile } from '../../../files/read.ts';
import { commandGroup, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import { properties, type TextBlock } from '../../output/text-block.ts';
import { collect, duration, positiveInteger } from '../../shared/option-values.ts';
import { type ServerCommandOptions, segment, serverClient, serverCommand } from './connection.ts';
import { credentialOf } from './credential.ts';

const setCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'set <project>', 'Create a project, or change its settings', [
    'ota-hooks server projects set door --access closed --keep-history check-ins=7d --server https://ota.example.com',
    'ota-hooks server projects set door --alias /esp/update/arduino.php --user esp --password-env OTA_PASSWORD',
  ])
    .addOption(
      new Option(
        '--access <mode>',
        'Devices that the project serves: all (open) or only enrolled ones (closed)',
      ).choices(['open', 'closed'] as const),
    )
    .option(
      '--public-key <file>',
      'Public key that releases may be signed with; replaces all keys (repeatable)',
      collect,
    )
    .option(
      '--alias <path>',
      'Additional update path, PATH or PATH=CHANNEL; replaces all aliases (repeatable)',
      collect,
    )
    .option('--user <name>', 'User name that devices must send, with --password-env; empty to remove the credentials')
    .option('--password-env <name>', 'Environment variable with the password that devices must send')
    .option(
      '--confirm-within <time>',
      'Time limit from a download to the first update check with the new build, such as 10m, 2h or 1d',
      duration,
    )
    .option('--most-sends <n>', 'Number of complete downloads after which an update counts as failed', positiveInteger)
    .option(
      '--stalled-after <time>',
      'Time without an updated device after which a rollout is reported as stalled, such as 12h or 2d (default: 1d)',
      duration,
    )
    .option(
      '--publisher-rule <rule>',
      'Rule that publish tokens may override; replaces all such rules (repeatable, empty for none)',
      collect,
    )
    .addOption(
      new Option(
        '--approval <mode>',
        'Whether a second person must approve the start of rollouts and promotions',
      ).choices(approvalModes),
    )
    .option(
      '--keep-history <kind=days>',
      'Time for which the server keeps check-ins (with addresses), attempts or audit, such as check-ins=30d or audit=forever (repeatable)',
      keptHistory,
    );

type SetOptions = OptionsOf<typeof setCommand>;

export function declareProjects(declaration: Declaration): void {
  commandGroup(
    declaration,
    'projects',
    'Manage projects: access, keys and update paths',
    ['ota-hooks server projects list', 'ota-hooks server projects set door --access closed'],
    [declareList, declareShow, declareSet],
  );
}

function declareList(declaration: Declaration): void {
  serverCommand(declaration, 'list', 'List projects', [
    'ota-hooks server projects list --server https://ota.example.com',
    'ota-hooks server projects list --json',
  ]).action((options) => list(options, declaration.io));
}

function declareShow(declaration: Declaration): void {
  serverCommand(declaration, 'show <project>', 'Show the settings of a project', [
    'ota-hooks server projects show door --server https://ota.example.com',
    'ota-hooks server projects show door --json',
  ]).action((project, options) => show(project, options, declaration.io));
}

function declareSet(declaration: Declaration): void {
  setCommand(declaration).action((project, options) => set(project, options, declaration.io));
}

async function list(options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { projects } = await request('GET', '/projects', projectsResponse);
  report.result('server projects list', projects, asTable(projects));
}

async function show(project: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const found = await request('GET', `/projects/${segment(project)}`, projectInfoSchema);
  report.result('server projects show', found, describe(found));
}

async function set(project: string, options: SetOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const settings = await requestOf(options, io);
  const changed = await request('PUT', `/projects/${segment(project)}`, projectInfoSchema, settings);
  report.result('server projects set', changed, asTable([changed]));
}

async function requestOf(options: SetOptions, io: Io): Promise<ProjectRequest> {
  const { access, publicKey, alias, confirmWithin, mostSends, stalledAfter, publisherRule, approval, keepHistory } =
    options;
  const keys =
    publicKey && (await Promise.all(publicKey.map((path) => readNamedFile(resolve(io.cwd, path), 'public key'))));
  return {
    access,
    publicKeys: keys?.map((bytes) => Buffer.from(bytes).toString('latin1')),
    aliases: alias?.map((text) => {
      const [path = '', channel = 'stable'] = text.split('=');
      return { path, channel };
    }),
    credential: credentialOf(options, io),
    confirmWithinMs: confirmWithin,
    mostSends,
    stalledAfterMs: stalledAfter,
    publisherRules: publisherRule?.filter((rule) => rule !== ''),
    approval,
    history: keepHistory,
  };
}

const historyKinds = { 'check-ins': 'checkInDays', attempts: 'attemptDays', audit: 'auditDays' } as const;

type History = NonNullable<ProjectRequest['history']>;

/** Parses a limit such as `check-ins=30d` and adds it to the limits of the same option. */
function keptHistory(value: string, previous: History = {}): History {
  const [, kind, days] = /^(check-ins|attempts|audit)=(?:([1-9]\d{0,4})d|forever)$/.exec(value) ?? [];
  if (kind === undefined || Number(days ?? 1) > mostHistoryDays) {
    throw new InvalidArgumentError(
      `must be check-ins=DAYS, attempts=DAYS or audit=DAYS, with a number from 1d to ${mostHistoryDays}d or forever`,
    );
  }
  // The pattern matches only these kinds.
  return { ...previous, [historyKinds[kind as keyof typeof historyKinds]]: days === undefined ? null : Number(days) };
}

/** Describes the settings of one project. */
function describe(project: ProjectInfo): TextBlock {
  const {
    access,
    user,
    keys,
    devices,
    channels,
    aliases,
    confirmWithinMs,
    mostSends,
    stalledAfterMs,
    publisherRules,
    approval,
    history,
  } = project;
  const kept = Object.entries(historyKinds).map(([kind, name]) => {
    const days = history?.[name] ?? null;
    return `${kind} ${days === null ? 'for ever' : counted(days, 'day')}`;
  });
  return properties([
    ['project', project.name],
    ['access', user === undefined ? access : `${access}, password of ${user}`],
    ['devices', countText(devices)],
    ['keys', keys.join(' ') || 'none'],
    ['current releases', currentReleases(channels)],
    ['aliases', aliases.map(({ path, channel }) => `${path} (${channel})`).join(', ') || '-'],
    ['confirm within', exactDuration(confirmWithinMs)],
    ['most sends', countText(mostSends)],
    ...(stalledAfterMs === undefined ? [] : [['stalled after', exactDuration(stalledAfterMs)]]),
    ['publisher rules', publisherRules.join(' ') || '-'],
    ...(approval === undefined ? [] : [['approval', approval]]),
    ['keeps', kept.join(', ')],
  ]);
}

function currentReleases(channels: ProjectInfo['channels']): string {
  const names = channels.map(
    ({ channel, version, kind }) => `${channel} ${version}${kind === 'sketch' ? '' : ' (filesystem)'}`,
  );
  return names.join(', ') || '-';
}

function asTable(projects: readonly ProjectInfo[]): TextBlock {
  const rows = projects.map(({ name, access, user, keys, devices, channels, aliases, confirmWithinMs }) => [
    name,
    user === undefined ? access : `${access}, password`,
    keys.map((key) => `${key.slice(0, 16)}…`).join(' ') || 'none',
    countText(devices),
    currentReleases(channels),
    exactDuration(confirmWithinMs),
    aliases.map(({ path }) => path).join(' ') || '-',
  ]);
  return table([['project', 'access', 'keys', 'devices', 'current releases', 'confirm within', 'aliases'], ...rows]);
}
