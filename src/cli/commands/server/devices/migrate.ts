import { resolve } from 'node:path';
import {
  type DevicePreview,
  importResponseSchema,
  previewResponseSchema,
  projectInfoSchema,
} from '../../../../api/admin-info.ts';
import { projectsResponse } from '../../../../api/client/responses.ts';
import { namedProject } from '../../../../api/named-project.ts';
import { counted } from '../../../../core/model/quantity-text.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import { readNamedFile } from '../../../../files/read.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { table } from '../../../output/table.ts';
import { collect } from '../../../shared/option-values.ts';
import { type ServerClient, segment, serverClient, serverCommand } from '../connection.ts';
import { fileNamePattern } from './table/file-name-pattern.ts';
import { type DeviceTable, readDeviceTable } from './table/read-table.ts';

const migrateCommand = (declaration: Declaration) =>
  serverCommand(
    declaration,
    'migrate <file>',
    "Move the devices of a PHP update script to this server: enroll them, serve the script's path, and show the next update of each device",
    [
      'ota-hooks server devices migrate arduino-db.json --alias /esp/update/arduino.php --server https://ota.example.com',
      'ota-hooks server devices migrate arduino-db.json --map "DOOR-*=door" --json',
    ],
  )
    .option('--alias <path>', 'Path of the update script, PATH or PATH=CHANNEL; all projects of the table share it')
    .option(
      '--map <rule>',
      'Project for the file names that match a pattern, PATTERN=PROJECT (repeatable); without a rule, NAME-version belongs to the project NAME',
      collect,
    );

export function declareDeviceMigration(declaration: Declaration): void {
  migrateCommand(declaration).action((file, options) => migrate(file, options, declaration.io));
}

async function migrate(file: string, options: OptionsOf<typeof migrateCommand>, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const path = resolve(io.cwd, file);
  const devices = readDeviceTable(await readNamedFile(path, 'device table'), path);
  const { projects } = await client.request('GET', '/projects', projectsResponse);
  const names = projects.map(({ name }) => name);
  const tables = byProject(devices, (each) => projectOf(each, options.map ?? [], names));
  const [alias, channel = 'stable'] = options.alias?.split('=') ?? [];
  for (const [project, part] of tables) {
    const urlPath = `/projects/${segment(project)}/devices/import`;
    await client.request('POST', urlPath, importResponseSchema, part, { isRepeatable: true });
  }
  for (const { name, aliases } of projects) {
    if (alias === undefined || !tables.has(name) || aliases.some((each) => each.path === alias)) continue;
    const changed = { aliases: [...aliases, { path: alias, channel }] };
    await client.request('PUT', `/projects/${segment(name)}`, projectInfoSchema, changed);
  }
  const previews = await previewsOf(client, tables, channel);
  client.report.result('server devices migrate', previews, [
    table([['mac', 'project', 'file', 'next update'], ...previews.map(rowOf)]),
    `Enrolled ${counted(previews.length, 'device')} in ${counted(tables.size, 'project')}. Nothing was sent: the table shows the next update checks.`,
    ...(tables.size > 1 && alias !== undefined ? [sharedAliasText([alias])] : []),
  ]);
}

/** Explains which devices a shared alias serves. */
export function sharedAliasText(paths: readonly string[]): string {
  return `Several projects share ${paths.join(', ')}: a device there that is not enrolled and not recognized is sent nothing, and the overview of the dashboard lists it as not enrolled.`;
}

/**
 * Groups a table by project.
 *
 * @throws OtaError DEVICE_PROJECT_UNKNOWN if a device has no project, so that it cannot be sent the firmware of another product
 */
function byProject(
  devices: DeviceTable,
  projectOf: (file: string) => string | undefined,
): ReadonlyMap<string, DeviceTable> {
  const tables = new Map<string, Record<string, DeviceTable[string]>>();
  for (const [mac, device] of Object.entries(devices)) {
    const project = projectOf(device.file);
    if (project === undefined) throw new OtaError('DEVICE_PROJECT_UNKNOWN', { file: device.file, mac });
    tables.set(project, { ...tables.get(project), [mac]: device });
  }
  return tables;
}

function projectOf(file: string, rules: readonly string[], projects: readonly string[]): string | undefined {
  for (const rule of rules) {
    const at = rule.lastIndexOf('=');
    const project = rule.slice(at + 1);
    if (at > 0 && fileNamePattern(rule.slice(0, at)).test(file)) return projects.find((name) => name === project);
  }
  return namedProject(projects, file);
}

interface MigratedDevice extends DevicePreview {
  readonly project: string;
  readonly file: string;
}

async function previewsOf(
  { request }: ServerClient,
  tables: ReadonlyMap<string, DeviceTable>,
  channel: string,
): Promise<readonly MigratedDevice[]> {
  const all: MigratedDevice[] = [];
  for (const [project, part] of tables) {
    const body = { macs: Object.keys(part), channel };
    const urlPath = `/projects/${segment(project)}/devices/preview`;
    const { devices } = await request('POST', urlPath, previewResponseSchema, body, { isRepeatable: true });
    for (const device of devices) all.push({ ...device, project, file: part[device.mac]?.file ?? '' });
  }
  return all;
}

function rowOf({ mac, project, file, action, version, artifact, text }: MigratedDevice): readonly string[] {
  const next = action === 'send' ? `${version} (${artifact})` : `none: ${text}`;
  return [mac, project, file, next];
}
