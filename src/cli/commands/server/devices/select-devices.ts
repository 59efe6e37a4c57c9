import { Option } from '@commander-js/extra-typings';
import type { DeviceInfo } from '../../../../api/admin-info.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { ServerClient } from '../connection.ts';
import { allDevices } from './all-devices.ts';

/** Options that select devices instead of naming them. */
export const deviceSelection = {
  group: new Option('--group <name>', 'All devices in this group'),
  all: new Option('--all', 'All devices in the project'),
} as const;

interface DeviceChoice {
  readonly group?: string | undefined;
  readonly all?: true | undefined;
}

/**
 * Returns the selected devices.
 *
 * @param names MACs and display names
 * @throws OtaError OPTION_MISSING if nothing is selected, OPTION_INVALID if no device has one of the names
 */
export async function selectDevices(
  client: ServerClient,
  project: string,
  names: readonly string[],
  { group, all }: DeviceChoice,
): Promise<readonly DeviceInfo[]> {
  if (names.length === 0 && group === undefined && all !== true) {
    const wanted = 'MAC addresses or names, --group NAME or --all';
    throw new OtaError('OPTION_MISSING', { subject: 'The command', wanted });
  }
  const devices = await allDevices(client, project);
  const isNamed = ({ mac, name }: DeviceInfo, wanted: string) => mac === wanted.toUpperCase() || name === wanted;
  for (const wanted of names) {
    if (devices.some((device) => isNamed(device, wanted))) continue;
    const hint = `List the devices with \`ota-hooks server devices list ${project}\`, and enroll new ones first.`;
    throw new OtaError('OPTION_INVALID', { option: 'device', value: wanted, expected: 'no such device', hint });
  }
  return devices.filter(
    (device) =>
      all === true ||
      (group !== undefined && device.group === group) ||
      names.some((wanted) => isNamed(device, wanted)),
  );
}
