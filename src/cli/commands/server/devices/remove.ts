import { deviceRemovedResponse } from '../../../../api/client/responses.ts';
import type { Declaration } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { destructive } from '../../../shared/confirmation.ts';
import { type ServerCommandOptions, serverClient, serverCommand } from '../connection.ts';
import { deviceUrlPath } from './device-url-path.ts';

export function declareDeviceRemove(declaration: Declaration): void {
  const removeCommand = serverCommand(declaration, 'remove <project> <device>', 'Remove a device', [
    'ota-hooks server devices remove door 18:FE:34:AA:BB:CC --yes --server https://ota.example.com',
    'ota-hooks server devices remove door 18:FE:34:AA:BB:CC --yes --json',
  ]);
  const question = (project: string, device: string) => `Remove ${device} from ${project}?`;
  destructive(removeCommand, declaration.io, question).action((project, device, options) =>
    remove(project, device, options, declaration.io),
  );
}

async function remove(project: string, device: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const path = await deviceUrlPath(client, project, device);
  const { removed } = await client.request('DELETE', path, deviceRemovedResponse);
  client.report.result('server devices remove', { removed }, `Removed ${device}`);
}
