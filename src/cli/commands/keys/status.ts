import { Option } from '@commander-js/extra-typings';
import type { KeyHolders } from '../../../api/key-holders.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { KeyEntry } from '../../../project/config/types.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { table } from '../../output/table.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';
import { serverOptions } from '../../shared/server-options.ts';
import { fetchKeyHolders } from './holders.ts';
import { keysOf } from './list.ts';

const statusCommand = (declaration: Declaration) =>
  command(declaration, 'status', 'List the keys of a project, and how many devices hold each key', [
    'ota-hooks keys status',
    'ota-hooks keys status --project door --server https://ota.example.com --json',
  ])
    .addOption(new Option('--server <url>', 'Server that counts the devices (default: OTA_SERVER)'))
    .option('--project <name>', 'Project on the server (default: from the configuration)')
    .addOption(serverOptions.tokenEnv)
    .addOption(serverOptions.ca)
    .addOption(projectOptions.source)
    .addOption(projectOptions.config);

export function declareStatus(declaration: Declaration): void {
  statusCommand(declaration).action((options) => status(options, declaration.io));
}

async function status(options: OptionsOf<typeof statusCommand>, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const settings = await readProjectSettings({ source: options.source, config: options.config }, io, report);
  const keys = await keysOf(settings, io);
  const server = options.server ?? (io.env['OTA_SERVER'] || undefined);
  const project = options.project ?? settings.config.project;
  if (server !== undefined && project === undefined) {
    throw new OtaError('OPTION_MISSING', { subject: '--server', wanted: '--project NAME' });
  }
  const holders =
    server === undefined || project === undefined
      ? undefined
      : await fetchKeyHolders(project, { ...options, server }, io);
  const lines = keys.map((entry) => ({ ...entry, ...(holders && keyUse(entry, keys, holders)) }));
  const head = ['name', 'role', 'fingerprint', ...(holders === undefined ? [] : ['devices', 'only key', 'retire'])];
  const rows = lines.map(({ name, role, fingerprint, devices, onlyKeyOf, retirement }) => [
    name,
    role,
    `${fingerprint.slice(0, 16)}…`,
    ...(holders === undefined ? [] : [String(devices ?? 0), String(onlyKeyOf ?? 0), retirement ?? '']),
  ]);
  const document = {
    keys: lines.map(({ name, role, fingerprint, devices, onlyKeyOf, mayBeRetired }) => ({
      name,
      role,
      fingerprint,
      devices: devices ?? null,
      onlyKeyOf: onlyKeyOf ?? null,
      mayBeRetired: mayBeRetired ?? null,
    })),
    unverified: holders?.unverified ?? null,
    unknown: holders?.unknown ?? null,
  };
  report.result('keys status', document, table([head, ...rows]));
  if (holders === undefined) report.say('To count the devices that hold each key, pass --server URL.');
  if (holders !== undefined && holders.unknown > 0) {
    report.say(`The keys of ${counted(holders.unknown, 'device')} are unknown: their builds are not recognized.`);
  }
  if (holders !== undefined && holders.unverified > 0) {
    report.say(`${counted(holders.unverified, 'device')} do not verify signatures.`);
  }
}

interface KeyUse {
  /** Number of devices that accept the key. */
  readonly devices: number;
  /** Number of devices that accept the key, but not the signing key. */
  readonly onlyKeyOf: number;
  readonly mayBeRetired: boolean;
  readonly retirement: string;
}

/** Returns how many devices hold a key. A backup key may be retired once all devices are known to accept the signing key. */
export function keyUse(
  { fingerprint, role }: Pick<KeyEntry, 'fingerprint' | 'role'>,
  keys: readonly Pick<KeyEntry, 'fingerprint' | 'role'>[],
  { groups, hops, unknown }: KeyHolders,
): KeyUse {
  const signing = keys.find((key) => key.role === 'signing')?.fingerprint ?? '';
  const holding = groups.filter((group) => group.keys.includes(fingerprint));
  const without = holding.filter((group) => !group.keys.includes(signing));
  const devices = sumOf(holding);
  const onlyKeyOf = sumOf(without);
  const mayBeRetired = role === 'backup' && onlyKeyOf === 0 && unknown === 0;
  // A key that no device has held yet is kept for the day on which the signing key is lost.
  const isUnused = devices === 0 && hops.every(({ from }) => from !== fingerprint);
  const reason = isUnused ? 'no device holds it' : reasonFor(onlyKeyOf, unknown);
  const retirement = role === 'backup' ? reason : '';
  return { devices, onlyKeyOf, mayBeRetired, retirement };
}

function reasonFor(onlyKeyOf: number, unknown: number): string {
  if (onlyKeyOf > 0) return `not yet: ${counted(onlyKeyOf, 'device')} would reject the signing key`;
  return unknown > 0 ? `not yet: the keys of ${counted(unknown, 'device')} are unknown` : 'possible now';
}

function sumOf(groups: KeyHolders['groups']): number {
  return groups.reduce((sum, { devices }) => sum + devices, 0);
}
