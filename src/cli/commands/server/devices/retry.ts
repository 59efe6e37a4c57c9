import { counted } from '../../../../core/model/quantity-text.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { serverClient, serverCommand } from '../connection.ts';
import { conditionsOf, filterOptions, hasConditions } from './device-filter.ts';
import { macsOf } from './device-names.ts';
import { changeEachPage } from './each-page.ts';
import { warnAboutUnknown } from './unknown-devices.ts';

const retryCommand = (declaration: Declaration) =>
  serverCommand(
    declaration,
    'retry <project> [device...]',
    'Clear failed updates so that they are sent again; rollouts keep their stages and limits',
    [
      'ota-hooks server devices retry door 18:FE:34:AA:BB:CC --server https://ota.example.com',
      'ota-hooks server devices retry door --failed --group hall --json',
    ],
  )
    .addOption(filterOptions.failed)
    .addOption(filterOptions.status)
    .addOption(filterOptions.group)
    .addOption(filterOptions.label)
    .addOption(filterOptions.version);

export function declareDeviceRetry(declaration: Declaration): void {
  retryCommand(declaration).action((project, devices, options) => retry(project, devices, options, declaration.io));
}

async function retry(
  project: string,
  devices: readonly string[],
  options: OptionsOf<typeof retryCommand>,
  io: Io,
): Promise<void> {
  const isFiltered = hasConditions(options);
  if (devices.length === 0 && !isFiltered) {
    const wanted = 'devices, --failed, --status, --group, --label or --version';
    throw new OtaError('OPTION_MISSING', { subject: '`retry`', wanted });
  }
  if (devices.length > 0 && isFiltered) {
    throw new OtaError('OPTIONS_CONFLICT', { option: 'a list of devices', other: '--failed and other filters' });
  }
  const client = serverClient(options, io);
  const set = devices.length > 0 ? { macs: await macsOf(client, project, devices) } : conditionsOf(options);
  const what = { project, devices: set, method: 'POST', path: '/retry', task: 'clearing failed updates' } as const;
  const result = await changeEachPage(client, what, io, options);
  warnAboutUnknown(result, client.report);
  const { matched, changed } = result;
  client.report.result('server devices retry', { matched, changed }, [
    `Cleared the failed updates of ${counted(changed, 'device')}${changed === 0 ? '' : '. Each is sent again at the next update check that its rollout permits.'}`,
  ]);
}
