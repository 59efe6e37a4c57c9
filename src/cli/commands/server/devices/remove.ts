import { deviceRemovedResponse } from '../../../../api/client/responses.ts';
import type { Declaration } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { destructive } from '../../../shared/confirmation.ts';
import { type ServerCommandOptions, serverClient, serverCommand } from '../connection.ts';
import { deviceUrlPath } from './device-url-path.ts';

export function declareDeviceRemove(declaration: Declaration): void {
  const removeCommand = serverCommand(declaration, 'remove <project> <mac>', 'Remove a device', [
    'ota-hooks server devices remove door 18:FE:34:AA:BB:CC --yes --server https://ota.example.com',
    'ota-hooks server devices remove door 18:FE:34:AA:BB:CC --yes --json',
  ]);
  const question = (project: string, mac: string) => `Remove ${mac} from ${project}?`;
  destructive(removeCommand, declaration.io, question).action((project, mac, options) =>
    remove(project, mac, options, declaration.io),
  );
}

async function remove(project: string, mac: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { removed } = await request('DELETE', deviceUrlPath(project, mac), deviceRemovedResponse);
  report.result('server devices remove', { removed }, `Removed ${mac}`);
}
