import type { DeviceInfo } from '../../../api/admin-info.ts';
import type { DeviceRequest } from '../../../api/release-admin.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { allDevices } from './all-devices.ts';
import { type ServerOptions, segment, serverCommand, talkTo } from './connection.ts';

interface EnrolOptions extends ServerOptions {
  readonly proven?: boolean | undefined;
  readonly seen?: boolean | undefined;
  readonly group?: string | undefined;
}

/** Declares `server devices enroll`: rollouts learn from enrolled devices only. */
export function declareEnroll({ program, io }: Declaration): void {
  serverCommand(
    { program, io },
    'enroll <project> [mac...]',
    'vouch for devices: rollouts count those, and no others',
    [
      'ota-hooks server devices enroll door 18:FE:34:AA:BB:CC 18:FE:34:AA:BB:CD --group hall',
      'ota-hooks server devices enroll door --proven --server https://ota.example.com',
    ],
  )
    .option('--proven', 'all that took an update of this server and came back with it')
    .option('--seen', 'all that ever asked; anybody can make one up')
    .option('--group <name>', 'that rollouts know them by')
    .action((project, macs, options) => enroll(project, macs, options, io));
}

async function enroll(project: string, macs: readonly string[], options: EnrolOptions, io: Io): Promise<void> {
  const { proven, seen, group } = options;
  if (macs.length === 0 && proven !== true && seen !== true) {
    throw new OtaError('USAGE', { message: 'no device is named', hint: 'Name their MACs, or say --proven or --seen.' });
  }
  const talk = talkTo(options, io);
  const isMeant = (device: DeviceInfo) => seen === true || (proven === true && device.proven);
  const found = macs.length > 0 ? [] : (await allDevices(talk, project)).filter(isMeant);
  const request: DeviceRequest = { enrolled: true, group };
  const enrolled: DeviceInfo[] = [];
  for (const mac of macs.length > 0 ? macs : found.map((device) => device.mac)) {
    enrolled.push(await talk.ask('PUT', `/projects/${segment(project)}/devices/${segment(mac)}`, request));
  }
  const count = enrolled.length === 1 ? '1 device is' : `${enrolled.length} devices are`;
  talk.report.result(
    'server devices enroll',
    enrolled,
    `${count} enrolled${group === undefined ? '' : ` in group ${group}`}`,
  );
}
