import { deviceInfoSchema } from '../../../../api/admin-info.ts';
import type { Declaration } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { type ServerCommandOptions, serverClient, serverCommand } from '../connection.ts';
import { deviceUrlPath } from './device-url-path.ts';
import { describeDevice } from './view.ts';

export function declareDeviceShow(declaration: Declaration): void {
  serverCommand(declaration, 'show <project> <device>', 'Show the details of a device', [
    'ota-hooks server devices show door 18:FE:34:AA:BB:CC --server https://ota.example.com',
    'ota-hooks server devices show door 18:FE:34:AA:BB:CC --json',
  ]).action((project, device, options) => show(project, device, options, declaration.io));
}

async function show(project: string, name: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const device = await client.request('GET', await deviceUrlPath(client, project, name), deviceInfoSchema);
  client.report.result('server devices show', device, describeDevice(device));
}
