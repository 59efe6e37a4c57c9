import { resolve } from 'node:path';
import { importResponseSchema } from '../../../../api/admin-info.ts';
import { counted, countText } from '../../../../core/model/quantity-text.ts';
import { readNamedFile } from '../../../../files/read.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { segment, serverClient, serverCommand } from '../connection.ts';
import { sharedAliasText } from './migrate.ts';
import { fileNamePattern } from './table/file-name-pattern.ts';
import { type DeviceTable, readDeviceTable } from './table/read-table.ts';

const importCommand = (declaration: Declaration) =>
  serverCommand(
    declaration,
    'import <project> <file>',
    'Enroll the devices in a table: JSON (MAC -> file, version), a PHP update script or CSV',
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

async function importTable(
  project: string,
  file: string,
  options: OptionsOf<typeof importCommand>,
  io: Io,
): Promise<void> {
  const { request, report } = serverClient(options, io);
  const path = resolve(io.cwd, file);
  const devices = chosen(readDeviceTable(await readNamedFile(path, 'device table'), path), options.only);
  const urlPath = `/projects/${segment(project)}/devices/import`;
  const imported = await request('POST', urlPath, importResponseSchema, devices, { isRepeatable: true });
  const { enrolled, unchanged, sharedAliases } = imported;
  report.result('server devices import', imported, [
    `Enrolled ${counted(enrolled, 'device')}; ${countText(unchanged)} already enrolled`,
    ...(sharedAliases.length === 0 ? [] : [sharedAliasText(sharedAliases)]),
  ]);
}

function chosen(devices: DeviceTable, only: string | undefined): DeviceTable {
  if (only === undefined) return devices;
  const pattern = fileNamePattern(only);
  return Object.fromEntries(Object.entries(devices).filter(([, { file }]) => pattern.test(file)));
}
