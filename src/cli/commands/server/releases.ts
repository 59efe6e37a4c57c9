import { Option } from '@commander-js/extra-typings';
import { approvalInfoSchema } from '../../../api/approvals.ts';
import { releasesResponse, selectedReleaseResponse } from '../../../api/client/responses.ts';
import { defaultChannel, type ReleasePart } from '../../../api/release.ts';
import { imageStatuses, type ReleaseImageInfo, type ReleaseInfo } from '../../../api/release-info.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import { commandGroup, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import type { TextBlock } from '../../output/text-block.ts';
import { allowLockOutOption } from '../../shared/allowed-rules.ts';
import { requireConfirmation, yesOption } from '../../shared/confirmation.ts';
import { collect, positiveInteger } from '../../shared/option-values.ts';
import { requestedText } from './approvals.ts';
import { queryText, segment, serverClient, serverCommand } from './connection.ts';

const selection = {
  kind: new Option('--kind <kind>', 'Only images of this kind').choices(['sketch', 'filesystem'] as const),
  board: new Option('--board <name>', 'Only images for this board; repeatable').argParser(collect),
} as const;

interface Selection {
  readonly kind?: ReleasePart['kind'] | undefined;
  readonly board?: readonly string[] | undefined;
}

const listCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'list <project>', 'List releases, newest first', [
    'ota-hooks server releases list door --server https://ota.example.com',
    'ota-hooks server releases list door --status draft --limit 5 --json',
  ])
    .option('--version <version>', 'Only this version')
    .addOption(new Option('--status <status>', 'Only versions with an image in this status').choices(imageStatuses))
    .option('--limit <n>', 'Maximum number of releases', positiveInteger, 100);

const promoteCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'promote <project> <version>', 'Make a version the current release of a channel', [
    'ota-hooks server releases promote door 1.4.2 --channel stable --server https://ota.example.com',
    'ota-hooks server releases promote door 1.4.2 --channel beta --board d1_mini',
  ])
    .option('--channel <name>', 'Channel to promote the release to', defaultChannel)
    .addOption(selection.kind)
    .addOption(selection.board)
    .addOption(allowLockOutOption)
    .option('--request-approval', 'Do not promote the release before a second person has approved it');

const yankCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'yank <project> <version>', 'Make all images of a version unavailable on all channels', [
    'ota-hooks server releases yank door 1.4.3 --reason "restarts every minute" --yes --server https://ota.example.com',
    'ota-hooks server releases yank door 1.4.3 --kind filesystem --yes',
  ])
    .option('--reason <text>', 'Reason shown in the release list and the audit log')
    .addOption(selection.kind)
    .addOption(selection.board)
    .addOption(yesOption);

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
  yankCommand(declaration).action((project, version, options) => yank(project, version, options, declaration.io));
}

async function list(project: string, options: OptionsOf<typeof listCommand>, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { version, status, limit } = options;
  const path = `/projects/${segment(project)}/releases${queryText({ version, status, limit })}`;
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
  const { channel, allow } = options;
  if (options.requestApproval === true) {
    const place = `/projects/${segment(project)}/approvals/promotions`;
    const wanted = { channel, version, parts: partsOf(options), allow };
    const pending = await request('POST', place, approvalInfoSchema, wanted);
    return report.result('server releases promote', pending, requestedText(project, pending));
  }
  const path = `/projects/${segment(project)}/channels/${segment(channel)}`;
  const { release } = await request('PUT', path, selectedReleaseResponse, { version, parts: partsOf(options), allow });
  report.say(`Promoted ${nameOf(release)} to ${channel}`);
  report.result('server releases promote', release);
}

async function yank(project: string, version: string, options: OptionsOf<typeof yankCommand>, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const asked = `Yank ${selectionText(options)} of ${project} ${version}?`;
  await requireConfirmation(asked, { yes: options.yes, command: 'server releases yank' }, io);
  const path = `/projects/${segment(project)}/releases/yank`;
  const question = { version, parts: partsOf(options), reason: options.reason };
  const { release } = await request('POST', path, selectedReleaseResponse, question);
  report.say(`Yanked ${nameOf(release)}. Devices that run it are still recognized.`);
  report.result('server releases yank', release);
}

/** Returns the parts of a version that the options select; undefined for all images. */
function partsOf({ kind, board }: Selection): readonly ReleasePart[] | undefined {
  if (board !== undefined) return board.map((name) => ({ kind, board: name }));
  return kind === undefined ? undefined : [{ kind }];
}

/** Describes the images that the options select, such as `the sketch images for d1_mini`. */
function selectionText({ kind, board }: Selection): string {
  const images = kind === undefined ? 'images' : `${kind} images`;
  if (board === undefined) return kind === undefined ? `all ${images}` : `the ${images}`;
  return `the ${images} for ${board.join(', ')}`;
}

/** Returns the version and the number of its images that a change applies to, such as `1.3.0 (4 images)`. */
function nameOf({ version, images }: ReleaseInfo): string {
  return `${version} (${counted(images.length, 'image')})`;
}

/** Formats releases as a table with one line per image. Only the first line of a release contains the version. */
function asTable(releases: readonly ReleaseInfo[]): TextBlock {
  const rows = releases.flatMap(({ version, images }) =>
    images.map((image, index) => [index === 0 ? version : '', ...imageCells(image)]),
  );
  return table([['version', 'kind', 'board', 'channels', 'enforcement', 'published'], ...rows]);
}

function imageCells({ kind, board, channels, purpose, yanked, enforcement, publishedAt }: ReleaseImageInfo): string[] {
  const served = purpose === 'reference' ? 'reference build' : channels.join(', ') || '-';
  return [kind, board ?? '-', yanked === undefined ? served : `yanked: ${yanked}`, enforcement, publishedAt];
}
