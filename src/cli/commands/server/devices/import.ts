import { resolve } from 'node:path';
import {
  type DevicePreview,
  type ProjectInfo,
  previewResponseSchema,
  projectInfoSchema,
} from '../../../../api/admin-info.ts';
import { projectsResponse } from '../../../../api/client/responses.ts';
import {
  type ImportedDevice,
  type ImportedDeviceInfo,
  type ImportRequest,
  importResponseSchema,
  mostDevicesAtOnce,
} from '../../../../api/device-sets.ts';
import { namedProject } from '../../../../api/named-project.ts';
import { didYouMean } from '../../../../core/model/nearest-names.ts';
import { counted, countText } from '../../../../core/model/quantity-text.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import { readNamedFile } from '../../../../files/read.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { during } from '../../../output/during.ts';
import { table } from '../../../output/table.ts';
import type { TextBlock } from '../../../output/text-block.ts';
import { collect } from '../../../shared/option-values.ts';
import { type ServerClient, segment, serverClient, serverCommand } from '../connection.ts';
import { warnAboutBoards } from '../unknown-names.ts';
import { fileNamePattern } from './table/file-name-pattern.ts';
import { readDeviceTable, type TableDevice } from './table/read-table.ts';

const importCommand = (declaration: Declaration) =>
  serverCommand(
    declaration,
    'import <file>',
    'Enroll the devices in a table and change their settings: CSV, JSON, or the table of a PHP update script',
    [
      'ota-hooks server devices import arduino-db.json --project door --dry-run --server https://ota.example.com',
      'ota-hooks server devices import arduino-db.json --alias /esp/update/arduino.php --preview --json',
    ],
  )
    .option('--dry-run', 'Show what the import would change, without changing it')
    .option('--project <name>', 'Project of all devices (default: from the column project or the file names)')
    .option('--only <pattern>', 'Only devices with a file name that matches the pattern; * matches any characters')
    .option(
      '--map <rule>',
      'Project for the file names that match a pattern, PATTERN=PROJECT (repeatable); without a rule, NAME-version belongs to the project NAME',
      collect,
    )
    .option('--alias <path>', 'Update path to add to the projects of the devices, PATH or PATH=CHANNEL')
    .option('--preview', 'Show the next update of each device after the import');

type ImportOptions = OptionsOf<typeof importCommand>;

export function declareDeviceImport(declaration: Declaration): void {
  importCommand(declaration).action((file, options) => importTable(file, options, declaration.io));
}

/** Devices of a table by project. */
type ProjectTables = ReadonlyMap<string, readonly TableDevice[]>;

async function importTable(file: string, options: ImportOptions, io: Io): Promise<void> {
  const { dryRun = false, only, preview, alias: aliasText } = options;
  const client = serverClient(options, io);
  const path = resolve(io.cwd, file);
  const rows = readDeviceTable(await readNamedFile(path, 'device table'), path);
  const pattern = only === undefined ? undefined : fileNamePattern(only);
  const chosen = pattern === undefined ? rows : rows.filter((row) => pattern.test(row.file));
  const { projects } = await client.request('GET', '/projects', projectsResponse);
  const tables = byProject(chosen, options, projects);
  const requests = [...tables].flatMap(([project, devices]) => requestsOf(project, devices));
  const send = (isDry: boolean) =>
    during({ what: isDry ? 'checking devices' : 'importing devices' }, io, options, (show) =>
      sendAll(client, requests, isDry, (share) => show(share)),
    );
  // Several requests are checked before the first of them changes anything, so that an error in the table leaves no part of it imported.
  const checked = dryRun || requests.length > 1 ? await send(true) : undefined;
  const { devices, sharedAliases } = dryRun && checked !== undefined ? checked : await send(false);
  const [alias, channel = 'stable'] = aliasText?.split('=') ?? [];
  if (!dryRun && alias !== undefined) await addAlias(client, { path: alias, channel }, projects, tables);
  const isPreviewed = preview === true && !dryRun;
  const previews = isPreviewed ? await previewsOf(client, tables, channel) : undefined;
  for (const [project, devices] of tables) {
    await warnAboutBoards(
      client,
      project,
      devices.map(({ device }) => device.board),
    );
  }
  const shared = tables.size > 1 && alias !== undefined ? [...new Set([...sharedAliases, alias])] : sharedAliases;
  client.report.result('server devices import', { dryRun, devices, sharedAliases: shared, previews }, [
    ...(dryRun ? changeTable(devices) : []),
    summaryOf(devices, dryRun),
    ...(previews === undefined
      ? []
      : [
          table([['mac', 'project', 'file', 'next update'], ...previews.map(rowOf)]),
          'Nothing was sent: the table shows the next update checks.',
        ]),
    ...(shared.length === 0 ? [] : [sharedAliasText(shared)]),
  ]);
}

/**
 * Groups devices by project.
 *
 * @throws OtaError DEVICE_PROJECT_UNKNOWN if a device has no project, so that it cannot be sent the firmware of another product
 */
function byProject(
  rows: readonly TableDevice[],
  { project: all, map = [] }: ImportOptions,
  projects: readonly ProjectInfo[],
): ProjectTables {
  const names = projects.map(({ name }) => name);
  const tables = new Map<string, TableDevice[]>();
  for (const row of rows) {
    const wanted = all ?? row.project ?? projectOf(row.file, map, names);
    if (wanted === undefined || (all === undefined && !names.includes(wanted))) {
      const suggestion = row.project === undefined ? '' : didYouMean(row.project, names);
      const { file, project, device } = row;
      throw new OtaError('DEVICE_PROJECT_UNKNOWN', { file, mac: device.mac, project, suggestion });
    }
    const devices = tables.get(wanted) ?? [];
    devices.push(row);
    tables.set(wanted, devices);
  }
  return tables;
}

function projectOf(file: string, rules: readonly string[], projects: readonly string[]): string | undefined {
  for (const rule of rules) {
    const at = rule.lastIndexOf('=');
    if (at > 0 && fileNamePattern(rule.slice(0, at)).test(file)) return rule.slice(at + 1);
  }
  return namedProject(projects, file);
}

/** Part of the table that one request imports. */
interface ImportPart {
  readonly project: string;
  readonly devices: readonly ImportedDevice[];
}

function requestsOf(project: string, rows: readonly TableDevice[]): readonly ImportPart[] {
  const devices = rows.map(({ device }) => device);
  return Array.from({ length: Math.ceil(devices.length / mostDevicesAtOnce) }, (_, page) => ({
    project,
    devices: devices.slice(page * mostDevicesAtOnce, (page + 1) * mostDevicesAtOnce),
  }));
}

type ImportedHere = ImportedDeviceInfo & { readonly project: string };

async function sendAll(
  { request }: ServerClient,
  parts: readonly ImportPart[],
  dryRun: boolean,
  show: (share: number) => void,
): Promise<{ readonly devices: readonly ImportedHere[]; readonly sharedAliases: readonly string[] }> {
  const devices: ImportedHere[] = [];
  const aliases = new Set<string>();
  for (const [index, part] of parts.entries()) {
    const body: ImportRequest = { devices: [...part.devices], dryRun };
    const path = `/projects/${segment(part.project)}/devices/import`;
    const response = await request('POST', path, importResponseSchema, body, { isRepeatable: true });
    for (const device of response.devices) devices.push({ ...device, project: part.project });
    for (const alias of response.sharedAliases) aliases.add(alias);
    show((index + 1) / parts.length);
  }
  return { devices, sharedAliases: [...aliases] };
}

async function addAlias(
  { request }: ServerClient,
  alias: { readonly path: string; readonly channel: string },
  projects: readonly ProjectInfo[],
  tables: ProjectTables,
): Promise<void> {
  for (const { name, aliases } of projects) {
    if (!tables.has(name) || aliases.some(({ path }) => path === alias.path)) continue;
    await request('PUT', `/projects/${segment(name)}`, projectInfoSchema, { aliases: [...aliases, alias] });
  }
}

type PreviewHere = DevicePreview & { readonly project: string; readonly file: string };

async function previewsOf(client: ServerClient, tables: ProjectTables, channel: string): Promise<PreviewHere[]> {
  const all: PreviewHere[] = [];
  for (const [project, rows] of tables) {
    const files = new Map(rows.map(({ device, file }) => [device.mac, file]));
    for (const { devices } of requestsOf(project, rows)) {
      const body = { macs: devices.map(({ mac }) => mac), channel };
      const path = `/projects/${segment(project)}/devices/preview`;
      const found = await client.request('POST', path, previewResponseSchema, body, { isRepeatable: true });
      for (const device of found.devices) all.push({ ...device, project, file: files.get(device.mac) ?? '' });
    }
  }
  return all;
}

function rowOf({ mac, project, file, action, version, artifact, text }: PreviewHere): readonly string[] {
  const next = action === 'send' ? `${version} (${artifact})` : `none: ${text}`;
  return [mac, project, file, next];
}

function changeTable(devices: readonly ImportedHere[]): readonly TextBlock[] {
  const changes = devices.filter(({ change }) => change !== 'unchanged');
  if (changes.length === 0) return [];
  const rows = changes.map(({ mac, project, change, fields }) => [mac, project, change, fields.join(', ')]);
  return [table([['mac', 'project', 'change', 'fields'], ...rows])];
}

function summaryOf(devices: readonly ImportedHere[], isDry: boolean): string {
  const count = (wanted: ImportedHere['change']) => devices.filter(({ change }) => change === wanted).length;
  const added = counted(count('added'), 'device');
  const others = `${countText(count('changed'))} changed, ${countText(count('unchanged'))} unchanged`;
  return isDry ? `Would enroll ${added}; ${others}. Nothing was changed.` : `Enrolled ${added}; ${others}`;
}

/** Explains which devices a shared alias serves. */
function sharedAliasText(paths: readonly string[]): string {
  return `Several projects share ${paths.join(', ')}: a device there that is not enrolled and not recognized is sent nothing, and the overview of the dashboard lists it as not enrolled.`;
}
