import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { during } from '../../../output/during.ts';
import { positiveInteger } from '../../../shared/option-values.ts';
import { serverClient, serverCommand } from '../connection.ts';
import { allDevices } from './all-devices.ts';
import { conditionsOf, filterOptions } from './device-filter.ts';
import { deviceTable } from './view.ts';

const listCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'list <project>', 'List devices', [
    'ota-hooks server devices list door --server https://ota.example.com',
    'ota-hooks server devices list door --status failed --group hall --json',
  ])
    .addOption(filterOptions.status)
    .addOption(filterOptions.failed)
    .addOption(filterOptions.group)
    .addOption(filterOptions.label)
    .addOption(filterOptions.version)
    .option('--limit <n>', 'Maximum number of devices (default: all)', positiveInteger);

export function declareDeviceList(declaration: Declaration): void {
  listCommand(declaration).action((project, options) => list(project, options, declaration.io));
}

async function list(project: string, options: OptionsOf<typeof listCommand>, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const devices = await during({ what: 'reading devices' }, io, options, (show) =>
    allDevices(client, project, conditionsOf(options), options.limit, show),
  );
  client.report.result('server devices list', devices, deviceTable(devices));
}
