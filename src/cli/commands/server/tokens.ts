import { resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import type { TokenInfo } from '../../../api/admin-info.ts';
import { type Role, roles } from '../../../api/release.ts';
import { commandGroup, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { table } from '../../output/table.ts';
import { type ServerCommandOptions, segment, serverCommand, talkTo } from './connection.ts';

interface CreateOptions extends ServerCommandOptions {
  readonly role: Role;
  readonly project?: string | undefined;
  readonly name: string;
  readonly data?: string | undefined;
}

/** Declares `server tokens …`. */
export function declareToken({ program, io }: Declaration): void {
  const group = commandGroup(program, 'tokens', 'Manage access tokens', [
    'ota-hooks server tokens create --role read',
    'ota-hooks server tokens list',
  ]);
  serverCommand({ program: group, io }, 'create', 'Create a token, which is shown only once', [
    'ota-hooks server tokens create --role publish --project door --name ci --server https://ota.example.com',
    'ota-hooks server tokens create --role admin --data /var/lib/ota-hooks',
  ])
    .addOption(new Option('--role <role>', 'Role of the token').choices(roles).default('publish' as const))
    .option('--project <name>', 'Project that the token is limited to')
    .option('--name <text>', 'Name for the token list and the audit log', 'unnamed')
    .option('--data <dir>', 'Data folder of a stopped server, if no admin token is left')
    .action((options) => create(options, io));
  serverCommand({ program: group, io }, 'list', 'List tokens, without their secrets', [
    'ota-hooks server tokens list --server https://ota.example.com',
    'ota-hooks server tokens list --json',
  ]).action((options) => list(options, io));
  serverCommand({ program: group, io }, 'revoke <id>', 'Revoke a token', [
    'ota-hooks server tokens revoke 4f6a0c12b7de --server https://ota.example.com',
    'ota-hooks server tokens revoke 4f6a0c12b7de --json',
  ]).action((id, options) => revoke(id, options, io));
}

async function create(options: CreateOptions, io: Io): Promise<void> {
  const { role, project, name, data } = options;
  if (data !== undefined) return createInFolder(resolve(io.cwd, data), options, io);
  const { ask, report } = talkTo(options, io);
  const made = await ask<TokenInfo>('POST', '/tokens', { role, project, name });
  report.say(`Token ${made.id} (${role}${project === undefined ? '' : `, project ${project}`}), shown only once:`);
  report.result('server tokens create', made, made.token);
}

/** Creates a token directly in a data folder. The lock of the folder ensures that no server runs on it. */
async function createInFolder(
  folder: string,
  { role, project, name, ...output }: CreateOptions,
  io: Io,
): Promise<void> {
  const report = makeReport(io, output);
  const { createToken, openData } = await import('../../../server/index.ts');
  const { store } = await openData({ data: folder }, `ota-hooks server tokens create, process ${process.pid}`);
  try {
    // No other part of a server runs here, so nothing subscribes to the event.
    const parts = { store, events: { emit: () => undefined } };
    const { record, token } = await createToken(parts, { role, project, name }, 'local command');
    const { id, createdAt } = record;
    report.say(`Token ${id} (${role}), shown only once:`);
    report.result(
      'server tokens create',
      { id, role, project, name, createdAt: new Date(createdAt).toISOString(), token },
      token,
    );
  } finally {
    await store.close();
  }
}

async function list(options: ServerCommandOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const { tokens } = await ask<{ tokens: TokenInfo[] }>('GET', '/tokens');
  const rows = tokens.map(({ id, role, project, name, createdAt }) => [id, role, project ?? 'all', name, createdAt]);
  report.result('server tokens list', tokens, table([['id', 'role', 'project', 'name', 'created'], ...rows]));
}

async function revoke(id: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  report.result('server tokens revoke', await ask('DELETE', `/tokens/${segment(id)}`), `Revoked token ${id}`);
}
