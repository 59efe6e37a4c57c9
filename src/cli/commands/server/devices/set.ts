import { Option } from '@commander-js/extra-typings';
import { deviceInfoSchema } from '../../../../api/admin-info.ts';
import { type DeviceRequest, deviceRules } from '../../../../api/release-admin.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { collect } from '../../../shared/option-values.ts';
import { serverClient, serverCommand } from '../connection.ts';
import { credentialOf } from '../credential.ts';
import { warnAboutBoards } from '../unknown-names.ts';
import { deviceUrlPath } from './device-url-path.ts';
import { describeDevice } from './view.ts';

const setCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'set <project> <device>', 'Change the settings of a device; new devices are enrolled', [
    'ota-hooks server devices set door 18:FE:34:AA:BB:CC --name "front door" --server https://ota.example.com',
    'ota-hooks server devices set door 18:FE:34:AA:BB:CC --channel beta --board d1_mini',
  ])
    .option('--name <text>', 'Display name; empty to remove it')
    .option('--board <name>', 'Board of the device if its build does not specify a board; empty to remove it')
    .option('--channel <name>', 'Channel that overrides the channel in the update URL; empty to remove it')
    .option('--group <name>', 'Group for rollouts; empty to remove it')
    .option('--label <name>', 'Label; replaces all labels (repeatable, empty for none)', collect)
    .option('--pin <version>', 'Version to pin the device to; empty to unpin it')
    .addOption(
      new Option('--atomic-fs <yes-no>', 'Set to yes if the device firmware was built with ATOMIC_FS_UPDATE').choices([
        'yes',
        'no',
        'unknown',
      ] as const),
    )
    .addOption(
      new Option(
        '--allow <rule>',
        'Preflight rule that does not block updates of this device; replaces all such rules (empty for none)',
      ).choices([...deviceRules, '']),
    )
    .option(
      '--user <name>',
      'User name that the device must send, with --password-env; empty to use the project setting',
    )
    .option('--password-env <name>', 'Environment variable with the password that the device must send');

export function declareDeviceSet(declaration: Declaration): void {
  setCommand(declaration).action((project, device, options) => set(project, device, options, declaration.io));
}

async function set(project: string, device: string, options: OptionsOf<typeof setCommand>, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const { name, board, channel, group, label, pin, atomicFs, allow } = options;
  const settings: DeviceRequest = {
    name: emptyIsNone(name),
    board: emptyIsNone(board),
    channel: emptyIsNone(channel),
    group: emptyIsNone(group),
    labels: label?.filter((each) => each !== ''),
    pin: emptyIsNone(pin),
    atomicFs: atomicFs === undefined ? undefined : atomicFs === 'unknown' ? null : atomicFs === 'yes',
    allow: allow === undefined ? undefined : deviceRules.filter((rule) => rule === allow),
    credential: credentialOf(options, io),
  };
  const path = await deviceUrlPath(client, project, device);
  const changed = await client.request('PUT', path, deviceInfoSchema, settings);
  await warnAboutBoards(client, project, [settings.board]);
  client.report.result('server devices set', changed, describeDevice(changed));
}

function emptyIsNone(text: string | undefined): string | null | undefined {
  return text === '' ? null : text;
}
