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
import { type ServerCommandOptions, segment, serverCommand, talkTo } from './connection.ts';
import { count, durationMs, durationText } from './quantities.ts';

interface SetOptions extends ServerCommandOptions {
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
  const group = commandGroup(program, 'projects', 'Manage projects: access, keys and update paths', [
    'ota-hooks server projects list',
    'ota-hooks server projects set door --access closed',
  ]);
  serverCommand({ program: group, io }, 'list', 'List projects', [
    'ota-hooks server projects list --server https://ota.example.com',
    'ota-hooks server projects list --json',
  ]).action((options) => list(options, io));
  serverCommand({ program: group, io }, 'set <project>', 'Change the given settings of a project, or create it', [
    'ota-hooks server projects set door --access closed --server https://ota.example.com',
    'ota-hooks server projects set door --alias /esp/update/arduino.php --user esp --password-env OTA_PASSWORD',
  ])
    .addOption(
      new Option('--access <who>', 'Devices that the project serves; open: all, closed: enrolled devices').choices([
        'open',
        'closed',
      ] as const),
    )
    .option(
      '--public-key <file>',
      'Public key that releases may be signed with; may be repeated; replaces all keys',
      collect,
    )
    .option(
      '--alias <path>',
      'Additional update path, PATH or PATH=CHANNEL; may be repeated; replaces all aliases',
      collect,
    )
    .option('--user <name>', 'User name required from devices, with --password-env; empty to remove the credentials')
    .option('--password-env <name>', 'Environment variable with the password required from devices')
    .option(
      '--confirm-within <time>',
      'Time limit from a download to the first update check with the new build, such as 10m, 2h or 1d',
    )
    .option('--most-sends <n>', 'Attempts after which an update that does not succeed counts as failed')
    .action((project, options) => set(project, options, io));
}

async function list(options: ServerCommandOptions, io: Io): Promise<void> {
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

/** Returns the credential from the options: undefined leaves it unchanged, null removes it. */
export function credentialOf(
  { user, passwordEnv }: { readonly user?: string | undefined; readonly passwordEnv?: string | undefined },
  io: Io,
): { user: string; password: string } | null | undefined {
  if (user === undefined && passwordEnv === undefined) return undefined;
  if (user === '') return null;
  if (user === undefined || passwordEnv === undefined) {
    const [subject, wanted] =
      user === undefined ? ['--password-env', '--user NAME'] : ['--user', '--password-env NAME'];
    throw new OtaError('OPTION_MISSING', { subject, wanted });
  }
  return { user, password: secretFromEnvironment(passwordEnv, io.env, 'the device password') };
}

function asTable(projects: readonly ProjectInfo[]): string {
  const rows = projects.map(({ name, access, user, keys, devices, channels, aliases, confirmWithinMs }) => [
    name,
    user === undefined ? access : `${access}, password`,
    keys.map((key) => `${key.slice(0, 16)}…`).join(' ') || 'none',
    String(devices),
    channels
      .map(({ channel, version, kind }) => `${channel} ${version}${kind === 'sketch' ? '' : ' (filesystem)'}`)
      .join(', ') || '-',
    durationText(confirmWithinMs),
    aliases.map(({ path }) => path).join(' ') || '-',
  ]);
  return table([['project', 'access', 'keys', 'devices', 'current releases', 'confirm within', 'aliases'], ...rows]);
}
