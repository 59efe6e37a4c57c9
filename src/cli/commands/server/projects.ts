import { resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import type { ProjectInfo } from '../../../api/admin-info.ts';
import type { ProjectRequest } from '../../../api/release-admin.ts';
import { secretFromEnvironment } from '../../../core/model/secret-from-environment.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { collect, commandGroup, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import { type ServerOptions, segment, serverCommand, talkTo } from './connection.ts';
import { count, durationMs, durationText } from './quantities.ts';

interface SetOptions extends ServerOptions {
  readonly access?: 'open' | 'closed' | undefined;
  readonly publicKey?: readonly string[] | undefined;
  readonly alias?: readonly string[] | undefined;
  readonly user?: string | undefined;
  readonly passwordEnv?: string | undefined;
  readonly confirmWithin?: string | undefined;
  readonly mostSends?: string | undefined;
}

/** Declares `server projects …`. */
export function declareProjects({ program, io }: Declaration): void {
  const group = commandGroup(program, 'projects', 'who may ask, and by which paths', [
    'ota-hooks server projects list',
    'ota-hooks server projects set door --access closed',
  ]);
  serverCommand({ program: group, io }, 'list', 'show the projects', [
    'ota-hooks server projects list --server https://ota.example.com',
    'ota-hooks server projects list --json',
  ]).action((options) => list(options, io));
  serverCommand({ program: group, io }, 'set <project>', 'change what is named, or make the project', [
    'ota-hooks server projects set door --access closed --server https://ota.example.com',
    'ota-hooks server projects set door --alias /esp/update/arduino.php --user esp --password-env OTA_PASSWORD',
  ])
    .addOption(
      new Option('--access <who>', 'open: any device; closed: enrolled ones').choices(['open', 'closed'] as const),
    )
    .option('--public-key <file>', 'whose signatures releases may carry; may be repeated; replaces all', collect)
    .option(
      '--alias <path>',
      'another path that devices ask, PATH or PATH=CHANNEL; may be repeated; replaces all',
      collect,
    )
    .option('--user <name>', 'that devices have to give, with --password-env; empty: none')
    .option('--password-env <name>', 'environment variable with their password')
    .option(
      '--confirm-within <time>',
      'what a device may take from a download to its first request with the new build, such as 10m, 2h, 1d',
    )
    .option('--most-sends <n>', 'downloads without success after which a device counts as failed')
    .action((project, options) => set(project, options, io));
}

async function list(options: ServerOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const { projects } = await ask<{ projects: ProjectInfo[] }>('GET', '/projects');
  report.result('server projects list', projects, asTable(projects));
}

async function set(project: string, options: SetOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const request = await requestOf(options, io);
  const changed = await ask<ProjectInfo>('PUT', `/projects/${segment(project)}`, request);
  report.result('server projects set', changed, asTable([changed]));
}

async function requestOf(options: SetOptions, io: Io): Promise<ProjectRequest> {
  const { access, publicKey, alias, confirmWithin, mostSends } = options;
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
    confirmWithinMs: durationMs('--confirm-within', confirmWithin),
    mostSends: count('--most-sends', mostSends),
  };
}

/** undefined: as it was. null: none. */
export function credentialOf(
  { user, passwordEnv }: { readonly user?: string | undefined; readonly passwordEnv?: string | undefined },
  io: Io,
): { user: string; password: string } | null | undefined {
  if (user === undefined && passwordEnv === undefined) return undefined;
  if (user === '') return null;
  if (user === undefined || passwordEnv === undefined) {
    throw new OtaError('USAGE', { message: 'A password needs both --user and --password-env' });
  }
  return { user, password: secretFromEnvironment(passwordEnv, io.env, 'the password of the devices') };
}

function asTable(projects: readonly ProjectInfo[]): string {
  const rows = projects.map(({ name, access, user, keys, devices, channels, aliases, confirmWithinMs }) => [
    name,
    user === undefined ? access : `${access}, password`,
    keys.map((key) => `${key.slice(0, 16)}…`).join(' ') || 'not signed',
    String(devices),
    channels
      .map(({ channel, version, kind }) => `${channel} ${version}${kind === 'sketch' ? '' : ' (files)'}`)
      .join(', ') || '-',
    durationText(confirmWithinMs),
    aliases.map(({ path }) => path).join(' ') || '-',
  ]);
  return table([['project', 'access', 'keys', 'devices', 'offered', 'confirms within', 'aliases'], ...rows]);
}
