import { Option } from '@commander-js/extra-typings';
import type { DeviceInfo } from '../../../../api/admin-info.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { ServerClient } from '../connection.ts';
import { allDevices } from './all-devices.ts';
import { macOf, unknownName } from './device-names.ts';

/** Options that select devices instead of naming them. */
export const deviceSelection = {
  group: new Option('--group <name>', 'All devices in this group'),
  label: new Option('--label <name>', 'All devices with this label'),
  all: new Option('--all', 'All devices in the project'),
} as const;

interface DeviceChoice {
  readonly group?: string | undefined;
  readonly label?: string | undefined;
  readonly all?: true | undefined;
}

/**
 * Returns the selected devices: those with one of the names, in the group, or with the label.
 *
 * @param names MACs and display names
 * @throws OtaError OPTION_MISSING if nothing is selected; DEVICE_NAME_UNKNOWN, DEVICE_NAME_AMBIGUOUS
 */
export async function selectDevices(
  client: ServerClient,
  project: string,
  names: readonly string[],
  { group, label, all }: DeviceChoice,
): Promise<readonly DeviceInfo[]> {
  if (names.length === 0 && group === undefined && label === undefined && all !== true) {
    const wanted = 'MAC addresses or names, --group NAME, --label NAME or --all';
    throw new OtaError('OPTION_MISSING', { subject: 'The command', wanted });
  }
  if (all === true) return allDevices(client, project);
  const selected = new Map<string, DeviceInfo>();
  const add = (devices: readonly DeviceInfo[]) => {
    for (const device of devices) selected.set(device.mac, device);
  };
  for (const name of names) {
    const mac = await macOf(client, project, name);
    const found = await allDevices(client, project, { text: mac }, 1);
    if (found.length === 0) throw await unknownName(client, project, name);
    add(found);
  }
  for (const conditions of [{ group }, { label }]) {
    const isGiven = Object.values(conditions).some((value) => value !== undefined);
    if (isGiven) add(await allDevices(client, project, conditions));
  }
  return [...selected.values()];
}
