import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { TokenInfo } from '../../../api/admin-info.ts';
import { tokenInfoSchema } from '../../../api/admin-info.ts';
import { tokenRevokedResponse, tokensResponse } from '../../../api/client/responses.ts';
import { type Role, roles } from '../../../api/release.ts';
import { defaultTokenName } from '../../../api/release-admin.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { commandGroup, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { table } from '../../output/table.ts';
import { agoOf } from '../../output/time-text.ts';
import { destructive } from '../../shared/confirmation.ts';
import { collect, positiveInteger } from '../../shared/option-values.ts';
import { chosenStorage, requireData, storageOptions } from '../../shared/storage-options.ts';
import { type ServerCommandOptions, segment, serverClient, serverCommand } from './connection.ts';
import { warnAboutProject } from './unknown-names.ts';

const createCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'create', 'Create a token; it is shown only once', [
    'ota-hooks server tokens create --role publish --channel stable --project door --server https://ota.example.com',
    'ota-hooks server tokens create --role admin --data /var/lib/ota-hooks',
  ])
    .option('--role <role>', `Role of the token: ${roles.join(', ')} (repeatable, or separated by commas)`, rolesIn, [])
    .option('--channel <name>', 'Channel to which a publish token may promote releases (repeatable)', collect, [])
    .option('--project <name>', 'Project that the token is limited to')
    .option('--name <text>', 'Name shown in the token list and the audit log', defaultTokenName)
    .option('--person <name>', 'Person whom a reverse proxy logs in (serve --auth-header), instead of a token')
    .option('--data <dir>', 'Data folder of a stopped server, if you have no admin token')
    .addOption(storageOptions.database)
    .addOption(storageOptions.databaseFile)
    .addOption(storageOptions.blobs);

type CreateOptions = OptionsOf<typeof createCommand>;

export function declareTokens(declaration: Declaration): void {
  commandGroup(
    declaration,
    'tokens',
    'Manage access tokens',
    ['ota-hooks server tokens create --role read', 'ota-hooks server tokens list'],
    [declareCreate, declareList, declareRevoke],
  );
}

function declareCreate(declaration: Declaration): void {
  createCommand(declaration).action((options) => create(options, declaration.io));
}

const listCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'list', 'List tokens, without their secrets', [
    'ota-hooks server tokens list --server https://ota.example.com',
    'ota-hooks server tokens list --role publish --project door --json',
  ])
    .addOption(new Option('--role <role>', 'Only tokens with this role').choices(roles))
    .option('--project <name>', 'Only tokens that are valid for this project')
    .option('--limit <n>', 'Maximum number of tokens (default: all)', positiveInteger);

function declareList(declaration: Declaration): void {
  listCommand(declaration).action((options) => list(options, declaration.io));
}

function declareRevoke(declaration: Declaration): void {
  const revokeCommand = serverCommand(declaration, 'revoke <token>', 'Revoke a token, by its ID or its name', [
    'ota-hooks server tokens revoke 4f6a0c12b7de --yes --server https://ota.example.com',
    'ota-hooks server tokens revoke 4f6a0c12b7de --yes --json',
  ]);
  destructive(revokeCommand, declaration.io, (token) => `Revoke the token ${token}?`).action((token, options) =>
    revoke(token, options, declaration.io),
  );
}

async function create(options: CreateOptions, io: Io): Promise<void> {
  const { data } = options;
  if (data !== undefined) return createInFolder(resolve(io.cwd, data), options, io);
  requireData(options);
  const client = serverClient(options, io);
  const { request, report } = client;
  const made = await request('POST', '/tokens', tokenInfoSchema, tokenRequestOf(options));
  await warnAboutProject(client, options.project);
  report.say(createdText(made));
  report.result('server tokens create', made, made.token ?? made.id);
}

/** Creates a token directly in a data folder. The folder lock ensures that no server uses the folder at the same time. */
async function createInFolder(folder: string, options: CreateOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const { createToken, useData } = await import('../../../server/index.ts');
  const holder = `ota-hooks server tokens create, process ${process.pid}`;
  const storage = await chosenStorage(options, io, report);
  await useData({ data: folder, ...storage, holder }, async ({ store }) => {
    // No server is running in this process, so nothing subscribes to events.
    const parts = { store, events: { emit: () => undefined } };
    const { record, token } = await createToken(parts, tokenRequestOf(options), 'local command');
    const { id, roles: held, channels, project, name, createdAt } = record;
    const { person } = options;
    report.say(createdText({ ...record, person }));
    report.result(
      'server tokens create',
      {
        id,
        person,
        roles: [...held],
        channels: [...channels],
        project,
        name,
        createdAt: new Date(createdAt).toISOString(),
        token,
      },
      token ?? id,
    );
  });
}

function tokenRequestOf({ role, channel, project, name, person }: CreateOptions) {
  return { roles: role.length === 0 ? (['publish'] as const) : role, channels: channel, project, name, person };
}

/** Collects role names. */
function rolesIn(value: string, previous: readonly Role[]): readonly Role[] {
  const named = value.split(',').map((name) => roles.find((role) => role === name.trim()));
  if (named.includes(undefined)) throw new InvalidArgumentError(`must be ${roles.join(', ')}`);
  return [...new Set([...previous, ...named.filter((role) => role !== undefined)])];
}

function createdText({ id, person, roles: held, channels, project }: Omit<TokenInfo, 'createdAt' | 'name'>): string {
  const on = channels.length === 0 ? [] : [`channel ${channels.join(', ')}`];
  const extent = [...held, ...on, ...(project === undefined ? [] : [`project ${project}`])].join(', ');
  if (person === undefined) return `Token ${id} (${extent}), shown only once:`;
  return `${person} has access (${extent}). The ID, for \`server tokens revoke\`:`;
}

async function list(options: OptionsOf<typeof listCommand>, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { role, project: wanted, limit } = options;
  const found = (await request('GET', '/tokens', tokensResponse)).tokens.filter(
    ({ roles: held, project }) =>
      (role === undefined || held.includes(role)) &&
      (wanted === undefined || project === undefined || project === wanted),
  );
  const tokens = found.slice(0, limit);
  if (tokens.length < found.length) report.say(`Listed ${tokens.length} of ${counted(found.length, 'token')}.`);
  const rows = tokens.map(({ id, roles: held, channels, project, name, createdAt }) => [
    name,
    id,
    held.join(', '),
    channels.join(', ') || '-',
    project ?? 'all',
    agoOf(createdAt),
  ]);
  report.result(
    'server tokens list',
    tokens,
    table([['name', 'id', 'roles', 'channels', 'project', 'created'], ...rows]),
  );
}

async function revoke(token: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { tokens } = await request('GET', '/tokens', tokensResponse);
  const { id, name } = tokenOf(tokens, token);
  const { revoked } = await request('DELETE', `/tokens/${segment(id)}`, tokenRevokedResponse);
  report.result('server tokens revoke', { revoked }, `Revoked token ${id}${name === undefined ? '' : ` (${name})`}`);
}

/**
 * Finds a token by its ID or its name. The server explains that a token does not exist.
 *
 * @throws OtaError TOKEN_NAME_AMBIGUOUS
 */
function tokenOf(
  tokens: readonly TokenInfo[],
  text: string,
): { readonly id: string; readonly name?: string | undefined } {
  const found = tokens.filter(({ id }) => id === text);
  const [first = { id: text }, ...others] = found.length > 0 ? found : tokens.filter(({ name }) => name === text);
  if (others.length === 0) return first;
  throw new OtaError('TOKEN_NAME_AMBIGUOUS', { name: text, ids: [first, ...others].map(({ id }) => id) });
}
