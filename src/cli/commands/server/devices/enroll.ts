import { Option } from '@commander-js/extra-typings';
import type { ChangeDevicesRequest, DeviceSet } from '../../../../api/device-sets.ts';
import { counted, countText } from '../../../../core/model/quantity-text.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { type ServerClient, serverClient, serverCommand } from '../connection.ts';
import { macsOf } from './device-names.ts';
import { changeEachPage } from './each-page.ts';
import { warnAboutUnknown } from './unknown-devices.ts';

const enrollCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'enroll <project> [device...]', 'Enroll devices; rollouts count only enrolled devices', [
    'ota-hooks server devices enroll door 18:FE:34:AA:BB:CC 18:FE:34:AA:BB:CD --group hall',
    'ota-hooks server devices enroll door --proven --server https://ota.example.com',
  ])
    .option('--proven', 'Enroll all devices that installed an update from this server')
    .option('--seen', 'Enroll all devices that have sent an update check; such requests can be forged')
    .option('--group <name>', 'Group to assign, for use in rollouts')
    .addOption(
      new Option('--remove', 'Unenroll the devices; the server keeps their settings and history').conflicts('group'),
    );

type EnrollOptions = OptionsOf<typeof enrollCommand>;

export function declareEnroll(declaration: Declaration): void {
  enrollCommand(declaration).action((project, devices, options) => enroll(project, devices, options, declaration.io));
}

async function enroll(project: string, devices: readonly string[], options: EnrollOptions, io: Io): Promise<void> {
  const { proven, seen, group, remove } = options;
  if (devices.length === 0 && proven !== true && seen !== true) {
    throw new OtaError('OPTION_MISSING', { subject: '`enroll`', wanted: 'devices, --proven or --seen' });
  }
  const client = serverClient(options, io);
  const set = await setOf(client, project, devices, options);
  const change: ChangeDevicesRequest['change'] = { enrolled: remove !== true, group };
  const task = remove === true ? 'removing enrollments' : 'enrolling devices';
  const what = { project, devices: set, method: 'PATCH', path: '', body: { change }, task } as const;
  const result = await changeEachPage(client, what, io, options);
  warnAboutUnknown(result, client.report);
  const { matched, changed } = result;
  const words = remove === true ? 'Unenrolled' : 'Enrolled';
  const others = matched === changed ? '' : `; ${countText(matched - changed)} unchanged`;
  client.report.result(
    'server devices enroll',
    { matched, changed },
    `${words} ${counted(changed, 'device')}${group === undefined ? '' : ` in group ${group}`}${others}`,
  );
}

async function setOf(
  client: ServerClient,
  project: string,
  devices: readonly string[],
  { proven, seen }: EnrollOptions,
): Promise<DeviceSet> {
  if (devices.length > 0) return { macs: await macsOf(client, project, devices) };
  return seen === true ? {} : { proven };
}
