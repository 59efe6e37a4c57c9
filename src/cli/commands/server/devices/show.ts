import { deviceInfoSchema } from '../../../../api/admin-info.ts';
import type { Declaration } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { type ServerCommandOptions, serverClient, serverCommand } from '../connection.ts';
import { deviceUrlPath } from './device-url-path.ts';
import { describeDevice } from './view.ts';

export function declareDeviceShow(declaration: Declaration): void {
  serverCommand(declaration, 'show <project> <mac>', 'Show the details of a device', [
    'ota-hooks server devices show door 18:FE:34:AA:BB:CC --server https://ota.example.com',
    'ota-hooks server devices show door 18:FE:34:AA:BB:CC --json',
  ]).action((project, mac, options) => show(project, mac, options, declaration.io));
}

async function show(project: string, mac: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const device = await request('GET', deviceUrlPath(project, mac), deviceInfoSchema);
  report.result('server devices show', device, describeDevice(device));
}
