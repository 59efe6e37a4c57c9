import { Option } from '@commander-js/extra-typings';
import { releasesResponse } from '../../../api/client/responses.ts';
import { defaultChannel } from '../../../api/release.ts';
import type { ReleaseInfo } from '../../../api/release-info.ts';
import { commandGroup, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import type { TextBlock } from '../../output/text-block.ts';
import { destructive } from '../../shared/confirmation.ts';
import { positiveInteger } from '../../shared/option-values.ts';
import { segment, serverClient, serverCommand } from './connection.ts';

const selection = {
  kind: new Option('--kind <kind>', 'Only releases of this kind').choices(['sketch', 'filesystem'] as const),
  board: new Option('--board <name>', 'Only the release for this board'),
} as const;

const listCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'list <project>', 'List releases, newest first', [
    'ota-hooks server releases list door --server https://ota.example.com',
    'ota-hooks server releases list door --limit 5 --json',
  ]).option('--limit <n>', 'Maximum number of releases', positiveInteger, 100);

const promoteCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'promote <project> <version>', 'Make a version the current release of a channel', [
    'ota-hooks server releases promote door 1.4.2 --channel stable --server https://ota.example.com',
    'ota-hooks server releases promote door 1.4.2 --channel beta --board d1_mini',
  ])
    .option('--channel <name>', 'Channel to promote the release to', defaultChannel)
    .addOption(selection.kind)
    .addOption(selection.board);

const yankCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'yank <project> <version>', 'Make a version unavailable on all channels', [
    'ota-hooks server releases yank door 1.4.3 --reason "restarts every minute" --yes --server https://ota.example.com',
    'ota-hooks server releases yank door 1.4.3 --kind filesystem --yes',
  ])
    .option('--reason <text>', 'Reason shown in the release list and the audit log')
    .addOption(selection.kind)
    .addOption(selection.board);

export function declareReleases(declaration: Declaration): void {
  commandGroup(
    declaration,
    'releases',
    'Manage releases and the channels that serve them',
    ['ota-hooks server releases list door', 'ota-hooks server releases promote door 1.4.2'],
    [declareList, declarePromote, declareYank],
  );
}

function declareList(declaration: Declaration): void {
  listCommand(declaration).action((project, options) => list(project, options, declaration.io));
}

function declarePromote(declaration: Declaration): void {
  promoteCommand(declaration).action((project, version, options) => promote(project, version, options, declaration.io));
}

function declareYank(declaration: Declaration): void {
  const question = (project: string, version: string) => `Yank ${version} of ${project}?`;
  destructive(yankCommand(declaration), declaration.io, question).action((project, version, options) =>
    yank(project, version, options, declaration.io),
  );
}

async function list(project: string, options: OptionsOf<typeof listCommand>, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const path = `/projects/${segment(project)}/releases?limit=${options.limit}`;
  const { releases, next } = await request('GET', path, releasesResponse);
  report.result('server releases list', releases, asTable(releases));
  if (next !== undefined) report.say('More releases exist. Use --limit to list up to 1,000.');
}

async function promote(
  project: string,
  version: string,
  options: OptionsOf<typeof promoteCommand>,
  io: Io,
): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { kind, board, channel } = options;
  const path = `/projects/${segment(project)}/channels/${segment(channel)}`;
  const { releases } = await request('PUT', path, releasesResponse, { version, kind, board });
  report.say(`Promoted ${version} to ${channel}`);
  report.result('server releases promote', releases);
}

async function yank(project: string, version: string, options: OptionsOf<typeof yankCommand>, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { kind, board, reason } = options;
  const path = `/projects/${segment(project)}/releases/yank`;
  const { releases } = await request('POST', path, releasesResponse, { version, kind, board, reason });
  report.say(`Yanked ${version}. Devices that run it are still recognized.`);
  report.result('server releases yank', releases);
}

function asTable(releases: readonly ReleaseInfo[]): TextBlock {
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
