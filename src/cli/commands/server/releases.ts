import { Option } from '@commander-js/extra-typings';
import { defaultChannel } from '../../../api/release.ts';
import type { ReleaseInfo } from '../../../api/release-info.ts';
import { commandGroup, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import { type ServerCommandOptions, segment, serverCommand, talkTo } from './connection.ts';

interface SelectionOptions extends ServerCommandOptions {
  readonly kind?: 'sketch' | 'filesystem' | undefined;
  readonly board?: string | undefined;
}

/** Declares `server releases …`. */
export function declareReleases({ program, io }: Declaration): void {
  const group = commandGroup(program, 'releases', 'Manage releases and the channels that serve them', [
    'ota-hooks server releases list door',
    'ota-hooks server releases promote door 1.4.2',
  ]);
  const kind = () =>
    new Option('--kind <kind>', 'Only releases of this kind').choices(['sketch', 'filesystem'] as const);
  serverCommand({ program: group, io }, 'list <project>', 'List releases, newest first', [
    'ota-hooks server releases list door --server https://ota.example.com',
    'ota-hooks server releases list door --limit 5 --json',
  ])
    .option('--limit <n>', 'Maximum number of releases', '100')
    .action((project, options) => list(project, options, io));
  serverCommand(
    { program: group, io },
    'promote <project> <version>',
    'Make a version the current release of a channel',
    [
      'ota-hooks server releases promote door 1.4.2 --channel stable --server https://ota.example.com',
      'ota-hooks server releases promote door 1.4.2 --channel beta --board d1_mini',
    ],
  )
    .option('--channel <name>', 'Channel to promote the release on', defaultChannel)
    .addOption(kind())
    .option('--board <name>', 'Only the release for this board')
    .action((project, version, options) => promote(project, version, options, io));
  serverCommand({ program: group, io }, 'yank <project> <version>', 'Make a version unavailable on all channels', [
    'ota-hooks server releases yank door 1.4.3 --reason "it smokes" --server https://ota.example.com',
    'ota-hooks server releases yank door 1.4.3 --kind filesystem',
  ])
    .option('--reason <text>', 'Reason for the release list and the audit log')
    .addOption(kind())
    .option('--board <name>', 'Only the release for this board')
    .action((project, version, options) => yank(project, version, options, io));
}

async function list(
  project: string,
  options: ServerCommandOptions & { readonly limit: string },
  io: Io,
): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const path = `/projects/${segment(project)}/releases?limit=${segment(options.limit)}`;
  const { releases, next } = await ask<{ releases: ReleaseInfo[]; next?: number }>('GET', path);
  report.result('server releases list', releases, asTable(releases));
  if (next !== undefined) report.say('More releases exist. Use --limit to list up to 1,000.');
}

async function promote(
  project: string,
  version: string,
  options: SelectionOptions & { readonly channel: string },
  io: Io,
): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const { kind, board, channel } = options;
  const path = `/projects/${segment(project)}/channels/${segment(channel)}`;
  const { releases } = await ask<{ releases: ReleaseInfo[] }>('PUT', path, { version, kind, board });
  report.say(`Promoted ${version} on ${channel}`);
  report.result('server releases promote', releases);
}

async function yank(
  project: string,
  version: string,
  options: SelectionOptions & { readonly reason?: string | undefined },
  io: Io,
): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const { kind, board, reason } = options;
  const path = `/projects/${segment(project)}/releases/yank`;
  const { releases } = await ask<{ releases: ReleaseInfo[] }>('POST', path, { version, kind, board, reason });
  report.say(`Yanked ${version}. Devices that run it are still recognized.`);
  report.result('server releases yank', releases);
}

function asTable(releases: readonly ReleaseInfo[]): string {
  const rows = releases.map(({ version, kind, board, channels, purpose, yanked, enforcement, publishedAt }) => [
    version,
    kind,
    board ?? '-',
    yanked === undefined
      ? purpose === 'reference'
        ? 'reference build'
        : channels.join(', ') || '-'
      : `yanked: ${yanked}`,
    enforcement,
    publishedAt,
  ]);
  return table([['version', 'kind', 'board', 'channels', 'enforcement', 'published'], ...rows]);
}
