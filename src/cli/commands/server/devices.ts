import { resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import type { DeviceInfo, ImportAnswer } from '../../../api/admin-info.ts';
import type { DeviceRequest } from '../../../api/release-admin.ts';
import type { RolloutStanding } from '../../../api/rollout-info.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { commandGroup, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import { allDevices } from './all-devices.ts';
import { type ServerOptions, segment, serverCommand, talkTo } from './connection.ts';
import { declareEnroll } from './enroll.ts';
import { credentialOf } from './projects.ts';

interface SetOptions extends ServerOptions {
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
  const group = commandGroup(program, 'devices', 'what is known of the devices, and why they get what they get', [
    'ota-hooks server devices list door --failed',
    'ota-hooks server devices show door 18:FE:34:AA:BB:CC',
  ]);
  serverCommand({ program: group, io }, 'list <project>', 'show the devices', [
    'ota-hooks server devices list door --server https://ota.example.com',
    'ota-hooks server devices list door --failed --json',
  ])
    .option('--failed', 'only those that did not come back from an update as they should')
    .action((project, options) => list(project, options, io));
  serverCommand({ program: group, io }, 'show <project> <mac>', 'all that is known of one', [
    'ota-hooks server devices show door 18:FE:34:AA:BB:CC --server https://ota.example.com',
    'ota-hooks server devices show door 18:FE:34:AA:BB:CC --json',
  ]).action((project, mac, options) => show(project, mac, options, io));
  serverCommand({ program: group, io }, 'set <project> <mac>', 'enroll a device, or change what is known of it', [
    'ota-hooks server devices set door 18:FE:34:AA:BB:CC --name "front door" --server https://ota.example.com',
    'ota-hooks server devices set door 18:FE:34:AA:BB:CC --channel beta --board d1_mini',
  ])
    .addOption(new Option('--enrolled <yes-no>', 'whether a closed project answers it').choices(['yes', 'no'] as const))
    .option('--name <text>', 'how people call it; empty: nothing')
    .option('--board <name>', 'where its build does not say it; empty: not known')
    .option('--channel <name>', 'in place of the one that its URL names; empty: that one')
    .option('--group <name>', 'that rollouts know it by; empty: none')
    .option('--pin <version>', 'the only version that it gets, whatever is offered; empty: what is offered')
    .addOption(
      new Option('--atomic-fs <yes-no>', 'built with ATOMIC_FS_UPDATE').choices(['yes', 'no', 'unknown'] as const),
    )
    .option('--user <name>', 'that it has to give, with --password-env; empty: that of the project')
    .option('--password-env <name>', 'environment variable with its password')
    .action((project, mac, options) => set(project, mac, options, io));
  declareEnroll({ program: group, io });
  serverCommand({ program: group, io }, 'retry <project> <mac>', 'a device that failed may be sent the release again', [
    'ota-hooks server devices retry door 18:FE:34:AA:BB:CC --server https://ota.example.com',
    'ota-hooks server devices retry door 18:FE:34:AA:BB:CC --json',
  ]).action((project, mac, options) => retry(project, mac, options, io));
  serverCommand({ program: group, io }, 'remove <project> <mac>', 'forget a device', [
    'ota-hooks server devices remove door 18:FE:34:AA:BB:CC --server https://ota.example.com',
    'ota-hooks server devices remove door 18:FE:34:AA:BB:CC --json',
  ]).action((project, mac, options) => remove(project, mac, options, io));
  serverCommand(
    { program: group, io },
    'import <project> <file>',
    'enroll the devices of an arduino-db.json (MAC -> file, version)',
    [
      'ota-hooks server devices import door arduino-db.json --only "DOOR-*" --server https://ota.example.com',
      'ota-hooks server devices import door arduino-db.json --json',
    ],
  )
    .option('--only <pattern>', 'only devices whose file matches; * stands for anything')
    .action((project, file, options) => importTable(project, file, options, io));
}

async function list(project: string, options: ServerOptions & { failed?: boolean | undefined }, io: Io): Promise<void> {
  const talk = talkTo(options, io);
  const all = await allDevices(talk, project);
  const devices = options.failed === true ? all.filter((device) => failureOf(device) !== undefined) : all;
  const rows = devices.map((device) => [
    device.mac,
    device.name ?? '-',
    device.running === undefined
      ? 'unknown'
      : `${device.running.version}${device.running.by === 'md5' ? '' : ' (it says)'}`,
    failureOf(device) ?? device.sketch?.text ?? device.filesystem?.text ?? '-',
    device.lastSeenAt ?? 'never',
  ]);
  talk.report.result('server devices list', devices, table([['mac', 'name', 'runs', 'answer', 'last seen'], ...rows]));
}

function failureOf({ attempts }: DeviceInfo): string | undefined {
  const failed = attempts.find(({ state }) => state === 'failed');
  return failed && `FAILED ${failed.version}: ${failed.failure}, sent ${failed.sends} times`;
}

async function show(project: string, mac: string, options: ServerOptions, io: Io): Promise<void> {
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
    ({ version, kind, state, sends, lastSentAt, failure }) =>
      `${version} (${kind}): ${failure ?? state}, sent ${sends} times, last ${lastSentAt}`,
  );
  const lines = [
    ['device', `${mac}${name === undefined ? '' : ` (${name})`}${enrolled ? ', enrolled' : ''}`],
    ['board', board],
    ['channel', channel],
    ['group', group],
    ['pinned to', pin],
    ['rollout', rollout && standing(rollout)],
    ['runs', running && `${running.version}, ${running.by === 'md5' ? 'by its sketch MD5' : 'so it says'}`],
    ['sketch', sketch && `${sketch.action}: ${sketch.text} (since ${sketch.at})`],
    ['files', filesystem && `${filesystem.action}: ${filesystem.text} (since ${filesystem.at})`],
    ...attempts.map((attempt) => ['update', attempt]),
    ['last seen', rest.lastSeenAt],
    ...Object.entries(report ?? {}).map(([key, value]) => [`  ${key}`, String(value)]),
  ];
  return table(lines.flatMap(([what, value]) => (what === undefined || value === undefined ? [] : [[what, value]])));
}

function standing({ version, state, stage, stages, isOpen, counts, progress, failure }: RolloutStanding): string {
  const turn = isOpen ? 'its turn' : state === 'active' ? 'not its turn yet' : state;
  return `${version}: stage ${stage} of ${stages}, ${turn}; ${failure ?? progress}${counts ? '' : '; not enrolled, so it does not count'}`;
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

async function retry(project: string, mac: string, options: ServerOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const device = await ask<DeviceInfo>('POST', `${pathOf(project, mac)}/retry`);
  report.result('server devices retry', device, `${mac} gets what is offered when it asks again`);
}

async function remove(project: string, mac: string, options: ServerOptions, io: Io): Promise<void> {
  const { ask, report } = talkTo(options, io);
  report.result('server devices remove', await ask('DELETE', pathOf(project, mac)), `${mac} is forgotten`);
}

async function importTable(
  project: string,
  file: string,
  options: ServerOptions & { only?: string | undefined },
  io: Io,
): Promise<void> {
  const { ask, report } = talkTo(options, io);
  const path = resolve(io.cwd, file);
  const devices = chosen(parseTable(await readNamedFile(path, 'table of devices'), path), options.only);
  const answer = await ask<ImportAnswer>('POST', `/projects/${segment(project)}/devices/import`, devices);
  const { enrolled, unchanged } = answer;
  report.result('server devices import', answer, `${enrolled} enrolled, ${unchanged} were before`);
}

function parseTable(bytes: Uint8Array, path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value === 'object' && value !== null) return { ...value };
    throw new Error('it is no table');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OtaError(
      'USAGE',
      { message: `${path} cannot be read as JSON: ${reason}`, hint: 'Mend it at that place.' },
      cause,
    );
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
