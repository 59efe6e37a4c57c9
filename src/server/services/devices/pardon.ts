import type { Actor, DeviceRecord } from '../../storage/records.ts';
import { afterPardon } from './attempts.ts';
import type { DeviceRecords } from './device-records.ts';

/**
 * A device that failed may be sent the release again.
 *
 * @returns undefined when the device is not known
 */
export async function pardonDevice(
  records: DeviceRecords,
  { project, mac, by }: { project: string; mac: string; by: Actor },
): Promise<DeviceRecord | undefined> {
  const pardon = (record: DeviceRecord | undefined) => record && { ...record, attempts: afterPardon(record.attempts) };
  const saved = await records.change(project, mac, pardon, { by, action: 'device.retry' });
  // Only a device that is new can find no room.
  return saved === 'full' ? undefined : saved;
}
