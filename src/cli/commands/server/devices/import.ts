import { resolve } from 'node:path';
import { importResponseSchema } from '../../../../api/admin-info.ts';
import { counted, countText } from '../../../../core/model/quantity-text.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import { readNamedFile } from '../../../../files/read.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { segment, serverClient, serverCommand } from '../connection.ts';

const importCommand = (declaration: Declaration) =>
  serverCommand(
    declaration,
    'import <project> <file>',
    'Enroll the devices listed in an arduino-db.json (MAC -> file, version)',
    [
      'ota-hooks server devices import door arduino-db.json --only "DOOR-*" --server https://ota.example.com',
      'ota-hooks server devices import door arduino-db.json --json',
    ],
  ).option(
    '--only <pattern>',
    'Import only devices with a file name that matches the pattern; * matches any characters',
  );

export function declareDeviceImport(declaration: Declaration): void {
  importCommand(declaration).action((project, file, options) => importTable(project, file, options, declaration.io));
}

type DeviceTable = Readonly<Record<string, unknown>>;

async function importTable(
  project: string,
  file: string,
  options: OptionsOf<typeof importCommand>,
  io: Io,
): Promise<void> {
  const { request, report } = serverClient(options, io);
  const path = resolve(io.cwd, file);
  const devices = chosen(parseTable(await readNamedFile(path, 'device table'), path), options.only);
  const urlPath = `/projects/${segment(project)}/devices/import`;
  const imported = await request('POST', urlPath, importResponseSchema, devices, { isRepeatable: true });
  const { enrolled, unchanged } = imported;
  const text = `Enrolled ${counted(enrolled, 'device')}; ${countText(unchanged)} already enrolled`;
  report.result('server devices import', imported, text);
}

function parseTable(bytes: Uint8Array, path: string): DeviceTable {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value === 'object' && value !== null) return { ...value };
    throw new Error('it is not an object');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OtaError('DEVICE_TABLE_INVALID', { path, reason }, cause);
  }
}

function chosen(devices: DeviceTable, only: string | undefined): DeviceTable {
  if (only === undefined) return devices;
  const pattern = new RegExp(`^${only.split('*').map(escaped).join('.*')}$`);
  const isChosen = (value: unknown) =>
    typeof value === 'object' && value !== null && 'file' in value && pattern.test(String(value.file));
  return Object.fromEntries(Object.entries(devices).filter(([, value]) => isChosen(value)));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
