import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { serverClient, serverCommand } from '../connection.ts';
import { allDevices } from './all-devices.ts';
import { deviceTable, failureOf } from './view.ts';

const listCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'list <project>', 'List devices', [
    'ota-hooks server devices list door --server https://ota.example.com',
    'ota-hooks server devices list door --failed --json',
  ]).option('--failed', 'Only devices with a failed update');

export function declareDeviceList(declaration: Declaration): void {
  listCommand(declaration).action((project, options) => list(project, options, declaration.io));
}

async function list(project: string, options: OptionsOf<typeof listCommand>, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const all = await allDevices(client, project);
  const devices = options.failed === true ? all.filter((device) => failureOf(device) !== undefined) : all;
  client.report.result('server devices list', devices, deviceTable(devices));
}
