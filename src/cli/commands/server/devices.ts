import { resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import type { DeviceInfo, ImportAnswer } from '../../../api/admin-info.ts';
import type { DeviceRequest } from '../../../api/release-admin.ts';
import type { DeviceRolloutInfo } from '../../../api/rollout-info.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { commandGroup, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import { allDevices } from './all-devices.ts';
import { type ServerCommandOptions, segment, serverCommand, talkTo } from './connection.ts';
import { declareEnroll } from './enroll.ts';
import { credentialOf } from './projects.ts';

interface SetOptions extends ServerCommandOptions {
  readonly enrolled?: 'yes' | 'no' | undefined;
  readonly name?: string | undefined;
  readonly board?: string | undefined;
  readonly channel?: string | undefined;
  readonly group?: string | undefined;
  readonly pin?: string | undefined;
  readonly atomicFs?: 'yes' | 'no' | 'unknown' | undefined;
  readonly user?: string | undefined;
  readonly passwordEnv?: string | undefined;
}

/** Declares `server devices …`. */
export function declareDevices({ program, io }: Declaration): void {
  const group = commandGroup(program, 'devices', 'Manage devices and show their update status', [
    'ota-hooks server devices list door --failed',
    'ota-hooks server devices show door 18:FE:34:AA:BB:CC',
  ]);
  serverCommand({ program: group, io }, 'list <project>', 'List devices', [
    'ota-hooks server devices list door --server https://ota.example.com',
    'ota-hooks server devices list door --failed --json',
  ])
    .option('--failed', 'Only devices with a failed update')
    .action((project, options) => list(project, options, io));
  serverCommand({ program: group, io }, 'show <project> <mac>', 'Show the details of a device', [
    'ota-hooks server devices show door 18:FE:34:AA:BB:CC --server https://ota.example.com',
    'ota-hooks server devices show door 18:FE:34:AA:BB:CC --json',
  ]).action((project, mac, options) => show(project, mac, options, io));
  serverCommand(
    { program: group, io },
    'set <project> <mac>',
    'Change the settings of a device; a new device is enrolled',
    [
      'ota-hooks server devices set door 18:FE:34:AA:BB:CC --name "front door" --server https://ota.example.com',
      'ota-hooks server devices set door 18:FE:34:AA:BB:CC --channel beta --board d1_mini',
    ],
  )
    .addOption(new Option('--enrolled <yes-no>', 'Whether the device is enrolled').choices(['yes', 'no'] as const))
    .option('--name <text>', 'Display name; empty to remove it')
    .option('--board <name>', 'Board, if the build does not specify one; empty to remove it')
    .option('--channel <name>', 'Channel, instead of the one in the update URL; empty to remove it')
    .option('--group <name>', 'Group for rollouts; empty to remove it')
    .option('--pin <version>', 'Version to pin the device to; empty to unpin it')
    .addOption(
      new Option('--atomic-fs <yes-no>', 'Whether the device was built with ATOMIC_FS_UPDATE').choices([
        'yes',
        'no',
        'unknown',
      ] as const),
    )
    .option(
      '--user <name>',
      'User name required from the device, with --password-env; empty to use that of the project',
    )
    .option('--password-env <name>', 'Environment variable with the password required from the device')
    .action((project, mac, options) => set(project, mac, options, io));
  declareEnroll({ program: group, io });
  serverCommand(
    { program: group, io },
    'retry <project> <mac>',
    'Clear a failed update so that it is sent to the device again',
    [
      'ota-hooks server devices retry door 18:FE:34:AA:BB:CC --server https://ota.example.com',
      'ota-hooks server devices retry door 18:FE:34:AA:BB:CC --json',
    ],
  ).action((project, mac, options) => retry(project, mac, options, io));
  serverCommand({ program: group, io }, 'remove <project> <mac>', 'Remove a device', [
    'ota-hooks server devices remove door 18:FE:34:AA:BB:CC --server https://ota.example.com',
    'ota-hooks server devices remove door 18:FE:34:AA:BB:CC --json',
  ]).action((project, mac, options) => remove(project, mac, options, io));
  serverCommand(
    { program: group, io },
    'import <project> <file>',
    'Enroll the devices listed in an arduino-db.json (MAC -> file, version)',
    [
      'ota-hooks server devices import door arduino-db.json --only "DOOR-*" --server https://ota.example.com',
      'ota-hooks server devices import door arduino-db.json --json',
    ],
  )
    .option('--only <pattern>', 'Only devices whose file matches the pattern; * matches any characters')
    .action((project, file, options) => importTable(project, file, options, io));
}

async function list(
  project: string,
  options: ServerCommandOptions & { failed?: boolean | undefined },
  io: Io,
): Promise<void> {
  const talk = talkTo(options, io);
  const all = await allDevices(talk, project);
  const devices = options.failed === true ? all.filter((device) => failureOf(device) !== undefined) : all;
  const rows = devices.map((device) => [
    device.mac,
    device.name ?? '-',
    device.running === undefined
      ? 'unknown'
      : `${device.running.version}${device.running.by === 'md5' ? '' : ' (reported)'}`,
    `${device.status}${reasonOf(device)}`,
    device.lastSeenAt ?? 'never',
  ]);
  talk.report.result(
    'server devices list',
    devices,
    table([['mac', 'name', 'running', 'status', 'last seen'], ...rows]),
  );
}

type DeviceAttempt = DeviceInfo['attempts'][number];

const stateWords = { sent: 'downloading', received: 'downloaded', running: 'installed', failed: 'failed' } as const;
const actionWords = { send: 'update', 'up-to-date': 'up to date', none: 'no update' } as const;
const progressWords = { pending: 'pending', blocked: 'blocked', updating: 'updating', running: 'updated' } as const;

/** Returns the API's name of a failure as words, such as "not confirmed". */
function failureText(failure: string | undefined): string {
  return failure?.replace('-', ' ') ?? 'unknown reason';
}

function outcomeOf({ state, failure }: DeviceAttempt): string {
  return failure === undefined ? stateWords[state] : failureText(failure);
}

function attemptsText(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

function reasonOf(device: DeviceInfo): string {
  const reason = failureOf(device) ?? device.sketch?.text ?? device.filesystem?.text;
  return reason === undefined ? '' : `: ${reason}`;
}

function failureOf({ attempts }: DeviceInfo): string | undefined {
  const failed = attempts.find(({ state }) => state === 'failed');
  return failed && `${failed.version} ${outcomeOf(failed)}, ${attemptsText(failed.sends)}`;
}

async function show(project: string, mac: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const device = await ask<DeviceInfo>('GET', pathOf(project, mac));
  report.result('server devices show', device, describe(device));
}

function describe({
  mac,
  name,
  enrolled,
  board,
  channel,
  group,
  pin,
  rollout,
  running,
  report,
  sketch,
  filesystem,
  ...rest
}: DeviceInfo): string {
  const attempts = rest.attempts.map(
    (attempt) =>
      `${attempt.version} (${attempt.kind}): ${outcomeOf(attempt)}, ${attemptsText(attempt.sends)}, last at ${attempt.lastSentAt}`,
  );
  const lines = [
    ['device', `${mac}${name === undefined ? '' : ` (${name})`}${enrolled ? ', enrolled' : ''}`],
    ['status', rest.status],
    ['board', board],
    ['channel', channel],
    ['group', group],
    ['pinned to', pin],
    ['rollout', rollout && rolloutText(rollout)],
    [
      'running',
      running && `${running.version} (${running.by === 'md5' ? 'identified by sketch MD5' : 'reported by the device'})`,
    ],
    ['sketch', sketch && `${actionWords[sketch.action]}: ${sketch.text} (since ${sketch.at})`],
    ['filesystem', filesystem && `${actionWords[filesystem.action]}: ${filesystem.text} (since ${filesystem.at})`],
    ...attempts.map((attempt) => ['update', attempt]),
    ['last seen', rest.lastSeenAt],
    ...Object.entries(report ?? {}).map(([key, value]) => [`  ${key}`, String(value)]),
  ];
  return table(lines.flatMap(([what, value]) => (what === undefined || value === undefined ? [] : [[what, value]])));
}

function rolloutText({ version, state, stage, stages, isOpen, counts, progress, failure }: DeviceRolloutInfo): string {
  const stageState = isOpen ? 'open' : state === 'active' ? 'not open yet' : `rollout ${state}`;
  const outcome = progress === 'failed' ? `failed (${failureText(failure)})` : progressWords[progress];
  return `${version}: stage ${stage} of ${stages} (${stageState}); ${outcome}${counts ? '' : '; not counted, because the device is not enrolled'}`;
}

async function set(project: string, mac: string, options: SetOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const { enrolled, name, board, channel, group, pin, atomicFs } = options;
  const request: DeviceRequest = {
    enrolled: enrolled === undefined ? undefined : enrolled === 'yes',
    name: emptyIsNone(name),
    board: emptyIsNone(board),
    channel: emptyIsNone(channel),
    group: emptyIsNone(group),
    pin: emptyIsNone(pin),
    atomicFs: atomicFs === undefined ? undefined : atomicFs === 'unknown' ? null : atomicFs === 'yes',
    credential: credentialOf(options, io),
  };
  const device = await ask<DeviceInfo>('PUT', pathOf(project, mac), request);
  report.result('server devices set', device, describe(device));
}

function emptyIsNone(text: string | undefined): string | null | undefined {
  return text === '' ? null : text;
}

async function retry(project: string, mac: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const device = await ask<DeviceInfo>('POST', `${pathOf(project, mac)}/retry`, undefined, { isRepeatable: true });
  report.result(
    'server devices retry',
    device,
    `Cleared the failed update of ${mac}. It is sent again at the next update check.`,
  );
}

async function remove(project: string, mac: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  report.result('server devices remove', await ask('DELETE', pathOf(project, mac)), `Removed ${mac}`);
}

async function importTable(
  project: string,
  file: string,
  options: ServerCommandOptions & { only?: string | undefined },
  io: Io,
): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const path = resolve(io.cwd, file);
  const devices = chosen(parseTable(await readNamedFile(path, 'device table'), path), options.only);
  const answer = await ask<ImportAnswer>('POST', `/projects/${segment(project)}/devices/import`, devices, {
    isRepeatable: true,
  });
  const { enrolled, unchanged } = answer;
  report.result(
    'server devices import',
    answer,
    `Enrolled ${enrolled} ${enrolled === 1 ? 'device' : 'devices'}; ${unchanged} already enrolled`,
  );
}

function parseTable(bytes: Uint8Array, path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value === 'object' && value !== null) return { ...value };
    throw new Error('it is not an object');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OtaError('DEVICE_TABLE_INVALID', { path, reason }, cause);
  }
}

function chosen(
  devices: Readonly<Record<string, unknown>>,
  only: string | undefined,
): Readonly<Record<string, unknown>> {
  if (only === undefined) return devices;
  const pattern = new RegExp(`^${only.split('*').map(escaped).join('.*')}$`);
  const isChosen = (value: unknown) =>
    typeof value === 'object' && value !== null && 'file' in value && pattern.test(String(value.file));
  return Object.fromEntries(Object.entries(devices).filter(([, value]) => isChosen(value)));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function pathOf(project: string, mac: string): string {
  return `/projects/${segment(project)}/devices/${segment(mac)}`;
}
