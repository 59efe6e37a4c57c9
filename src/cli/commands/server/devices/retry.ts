import { deviceInfoSchema } from '../../../../api/admin-info.ts';
import type { Declaration } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { type ServerCommandOptions, serverClient, serverCommand } from '../connection.ts';
import { deviceUrlPath } from './device-url-path.ts';

export function declareDeviceRetry(declaration: Declaration): void {
  serverCommand(declaration, 'retry <project> <mac>', 'Clear a failed update so that it is sent to the device again', [
    'ota-hooks server devices retry door 18:FE:34:AA:BB:CC --server https://ota.example.com',
    'ota-hooks server devices retry door 18:FE:34:AA:BB:CC --json',
  ]).action((project, mac, options) => retry(project, mac, options, declaration.io));
}

async function retry(project: string, mac: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const device = await request('POST', `${deviceUrlPath(project, mac)}/retry`, deviceInfoSchema, undefined, {
    isRepeatable: true,
  });
  const text = `Cleared the failed update of ${mac}. The update is sent again at the next update check.`;
  report.result('server devices retry', device, text);
}
