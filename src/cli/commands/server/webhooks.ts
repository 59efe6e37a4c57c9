import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { deliveriesResponse, webhookRemovedResponse, webhooksResponse } from '../../../api/client/responses.ts';
import {
  deliveryInfoSchema,
  type WebhookEvent,
  webhookEvents,
  webhookFormats,
  webhookInfoSchema,
} from '../../../api/webhooks.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { commandGroup, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import { agoOf } from '../../output/time-text.ts';
import { destructive } from '../../shared/confirmation.ts';
import { type ServerCommandOptions, segment, serverClient, serverCommand } from './connection.ts';
import { warnAboutProject } from './unknown-names.ts';

const addCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'add', 'Add a webhook; prompts for its URL unless --url-file is used', [
    'ota-hooks server webhooks add --events rollout.halted --url-file webhook-url.txt --server https://ota.example.com',
    'ota-hooks server webhooks add --events rollout.halted,release.yanked --format slack --url-file webhook-url.txt',
  ])
    .requiredOption('--events <names>', `Events, separated by commas: ${webhookEvents.join(', ')}`, eventsIn)
    .option('--url-file <file>', 'File that contains the URL, or - for standard input. The URL is a secret')
    .addOption(new Option('--format <name>', 'Format of the body').choices(webhookFormats).default('standard' as const))
    .option('--project <name>', 'Send only events of this project')
    .option('--allow-private', 'Permit private, loopback and link-local addresses');

type AddOptions = OptionsOf<typeof addCommand>;

export function declareWebhooks(declaration: Declaration): void {
  commandGroup(
    declaration,
    'webhooks',
    'Manage webhooks, which send events to other systems',
    ['ota-hooks server webhooks list', 'ota-hooks server webhooks add --help'],
    [declareAdd, declareList, declareRemove, declareDeliveries, declareRedeliver],
  );
}

function declareAdd(declaration: Declaration): void {
  addCommand(declaration).action((options) => add(options, declaration.io));
}

function declareList(declaration: Declaration): void {
  serverCommand(declaration, 'list', 'List webhooks, without their URLs and secrets', [
    'ota-hooks server webhooks list --server https://ota.example.com',
    'ota-hooks server webhooks list --json',
  ]).action((options) => list(options, declaration.io));
}

function declareRemove(declaration: Declaration): void {
  const removeCommand = serverCommand(declaration, 'remove <id>', 'Remove a webhook and its deliveries', [
    'ota-hooks server webhooks remove 1 --yes --server https://ota.example.com',
    'ota-hooks server webhooks remove 1 --yes --json',
  ]);
  const question = (id: string) => `Remove webhook ${id} and its deliveries?`;
  destructive(removeCommand, declaration.io, question).action((id, options) => remove(id, options, declaration.io));
}

function declareDeliveries(declaration: Declaration): void {
  serverCommand(declaration, 'deliveries <id>', 'List the deliveries of a webhook, newest first', [
    'ota-hooks server webhooks deliveries 1 --server https://ota.example.com',
    'ota-hooks server webhooks deliveries 1 --json',
  ]).action((id, options) => deliveries(id, options, declaration.io));
}

function declareRedeliver(declaration: Declaration): void {
  serverCommand(declaration, 'redeliver <id> <delivery>', 'Send the event of a delivery again, with the same ID', [
    'ota-hooks server webhooks redeliver 1 1 --server https://ota.example.com',
    'ota-hooks server webhooks redeliver 1 1 --json',
  ]).action((id, delivery, options) => redeliver({ id, delivery }, options, declaration.io));
}

async function add(options: AddOptions, io: Io): Promise<void> {
  const { events, format, project, allowPrivate = false } = options;
  const client = serverClient(options, io);
  const { request, report } = client;
  const url = await urlOf(options, io);
  const body = { url, events, format, project, allowPrivate };
  const added = await request('POST', '/webhooks', webhookInfoSchema, body);
  await warnAboutProject(client, project);
  report.say(`Webhook ${added.id} for ${added.origin}. Its secret is shown only once:`);
  report.result('server webhooks add', added, added.secret ?? '');
}

/**
 * Reads the URL of a webhook, which must not be on the command line.
 *
 * @throws OtaError OPTION_MISSING without a terminal or input, OPTION_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
async function urlOf({ urlFile }: Pick<AddOptions, 'urlFile'>, io: Io): Promise<string> {
  const text = (await urlText(urlFile, io))?.trim();
  if (text === undefined) {
    throw new OtaError('OPTION_MISSING', { subject: '`server webhooks add`', wanted: '--url-file FILE' });
  }
  // The server checks a typed URL, like any other.
  if (urlFile === undefined || URL.canParse(text)) return text;
  throw new OtaError('OPTION_INVALID', {
    option: '--url-file',
    value: urlFile,
    expected: urlFile === '-' ? 'the input must be a URL' : 'the file must contain a URL',
  });
}

async function urlText(urlFile: string | undefined, { cwd, promptSecret, readStdin }: Io): Promise<string | undefined> {
  if (urlFile === undefined) return promptSecret?.('URL of the webhook');
  // /dev/stdin cannot be opened if the input is a socket, and does not exist on Windows.
  if (urlFile === '-') return readStdin?.();
  return Buffer.from(await readNamedFile(resolve(cwd, urlFile), 'URL file')).toString('utf8');
}

async function list(options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { webhooks } = await request('GET', '/webhooks', webhooksResponse);
  const rows = webhooks.map(({ id, origin, events, project, format, pending }) => [
    String(id),
    origin,
    events.join(', '),
    project ?? 'all',
    format,
    String(pending),
  ]);
  report.result(
    'server webhooks list',
    webhooks,
    table([['id', 'receiver', 'events', 'project', 'format', 'pending'], ...rows]),
  );
}

async function remove(id: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { removed } = await request('DELETE', `/webhooks/${segment(id)}`, webhookRemovedResponse);
  report.result('server webhooks remove', { removed }, `Removed webhook ${id}`);
}

async function deliveries(id: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const found = await request('GET', `/webhooks/${segment(id)}/deliveries?limit=200`, deliveriesResponse);
  const rows = found.deliveries.map(({ id: delivery, at, event, state, attempts, status, error }) => [
    String(delivery),
    agoOf(at),
    event,
    state,
    String(attempts),
    error ?? (status === undefined ? '-' : `HTTP status ${status}`),
  ]);
  report.result(
    'server webhooks deliveries',
    found.deliveries,
    table([['id', 'time', 'event', 'state', 'attempts', 'last result'], ...rows]),
  );
}

async function redeliver(
  { id, delivery }: { readonly id: string; readonly delivery: string },
  options: ServerCommandOptions,
  io: Io,
): Promise<void> {
  const { request, report } = serverClient(options, io);
  const path = `/webhooks/${segment(id)}/deliveries/${segment(delivery)}/redeliver`;
  const queued = await request('POST', path, deliveryInfoSchema);
  report.result('server webhooks redeliver', queued, `Queued ${queued.event} again as delivery ${queued.id}`);
}

/** Reads event names, separated by commas. */
function eventsIn(value: string): readonly WebhookEvent[] {
  const named = value.split(',').map((name) => webhookEvents.find((event) => event === name.trim()));
  if (named.includes(undefined)) throw new InvalidArgumentError(`must be ${webhookEvents.join(', ')}`);
  return [...new Set(named.filter((event) => event !== undefined))];
}
