import { newRecord } from '../../storage/device-record.ts';
import type { Actor } from '../../storage/records.ts';
import type { DeviceRecords } from './device-records.ts';

/**
 * Enrolls a device. A device that has a name keeps it.
 *
 * @returns true if the device is newly enrolled; `full` if the device table is full
 */
export async function enrollDevice(
  records: DeviceRecords,
  { project, mac, name, by }: { project: string; mac: string; name?: string | undefined; by: Actor },
): Promise<boolean | 'full'> {
  let isNew = false;
  const saved = await records.change(
    project,
    mac,
    (record) => {
      isNew = record?.enrolled !== true;
      return isNew ? { ...(record ?? newRecord(project, mac)), enrolled: true, name: record?.name ?? name } : record;
    },
    { by, action: 'edit' },
  );
  return saved === 'full' ? 'full' : isNew;
}
