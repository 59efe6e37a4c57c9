import type { DeviceInfo } from '../../../api/admin-info.ts';
import type { DeviceRequest } from '../../../api/release-admin.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { allDevices } from './all-devices.ts';
import { type ServerCommandOptions, segment, serverCommand, talkTo } from './connection.ts';

interface EnrollOptions extends ServerCommandOptions {
  readonly proven?: boolean | undefined;
  readonly seen?: boolean | undefined;
  readonly group?: string | undefined;
}

/** Declares `server devices enroll`: rollouts count enrolled devices only. */
export function declareEnroll({ program, io }: Declaration): void {
  serverCommand({ program, io }, 'enroll <project> [mac...]', 'Enroll devices; rollouts count enrolled devices only', [
    'ota-hooks server devices enroll door 18:FE:34:AA:BB:CC 18:FE:34:AA:BB:CD --group hall',
    'ota-hooks server devices enroll door --proven --server https://ota.example.com',
  ])
    .option('--proven', 'All devices that installed an update from this server')
    .option('--seen', 'All devices that have sent an update check; these requests can be forged')
    .option('--group <name>', 'Group to assign, for use in rollouts')
    .action((project, macs, options) => enroll(project, macs, options, io));
}

async function enroll(project: string, macs: readonly string[], options: EnrollOptions, io: Io): Promise<void> {
  const { proven, seen, group } = options;
  if (macs.length === 0 && proven !== true && seen !== true) {
    throw new OtaError('OPTION_MISSING', { subject: '`enroll`', wanted: 'MAC addresses, --proven or --seen' });
  }
  const talk = talkTo(options, io);
  const isMeant = (device: DeviceInfo) => seen === true || (proven === true && device.proven);
  const found = macs.length > 0 ? [] : (await allDevices(talk, project)).filter(isMeant);
  const request: DeviceRequest = { enrolled: true, group };
  const enrolled: DeviceInfo[] = [];
  for (const mac of macs.length > 0 ? macs : found.map((device) => device.mac)) {
    enrolled.push(await talk.ask('PUT', `/projects/${segment(project)}/devices/${segment(mac)}`, request));
  }
  const count = enrolled.length === 1 ? '1 device' : `${enrolled.length} devices`;
  talk.report.result(
    'server devices enroll',
    enrolled,
    `Enrolled ${count}${group === undefined ? '' : ` in group ${group}`}`,
  );
}
