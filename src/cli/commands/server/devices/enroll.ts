import { Option } from '@commander-js/extra-typings';
import type { DeviceInfo } from '../../../../api/admin-info.ts';
import { deviceInfoSchema } from '../../../../api/admin-info.ts';
import type { DeviceRequest } from '../../../../api/release-admin.ts';
import { counted } from '../../../../core/model/quantity-text.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { type ServerClient, serverClient, serverCommand } from '../connection.ts';
import { allDevices } from './all-devices.ts';
import { deviceUrlPath } from './device-url-path.ts';

const enrollCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'enroll <project> [mac...]', 'Enroll devices; rollouts count only enrolled devices', [
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
  enrollCommand(declaration).action((project, macs, options) => enroll(project, macs, options, declaration.io));
}

async function enroll(project: string, macs: readonly string[], options: EnrollOptions, io: Io): Promise<void> {
  const { proven, seen, group, remove } = options;
  if (macs.length === 0 && proven !== true && seen !== true) {
    throw new OtaError('OPTION_MISSING', { subject: '`enroll`', wanted: 'MAC addresses, --proven or --seen' });
  }
  const client = serverClient(options, io);
  const settings: DeviceRequest = { enrolled: remove !== true, group };
  const changed: DeviceInfo[] = [];
  for (const mac of macs.length > 0 ? macs : await macsOf(project, options, client)) {
    changed.push(await client.request('PUT', deviceUrlPath(project, mac), deviceInfoSchema, settings));
  }
  const devices = counted(changed.length, 'device');
  client.report.result(
    'server devices enroll',
    changed,
    remove === true ? `Unenrolled ${devices}` : `Enrolled ${devices}${group === undefined ? '' : ` in group ${group}`}`,
  );
}

async function macsOf(project: string, { proven, seen }: EnrollOptions, client: ServerClient): Promise<string[]> {
  const isMeant = (device: DeviceInfo) => seen === true || (proven === true && device.proven);
  return (await allDevices(client, project)).filter(isMeant).map(({ mac }) => mac);
}
