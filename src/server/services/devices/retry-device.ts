import type { Actor, DeviceRecord } from '../../storage/records.ts';
import { afterRetry } from './attempts.ts';
import type { DeviceRecords } from './device-records.ts';

/**
 * Clears the failures of a device, so that it can be sent the releases again.
 *
 * @returns undefined if the device is not known
 */
export async function retryFailedDevice(
  records: DeviceRecords,
  { project, mac, by }: { project: string; mac: string; by: Actor },
): Promise<DeviceRecord | undefined> {
  const retry = (record: DeviceRecord | undefined) => record && { ...record, attempts: afterRetry(record.attempts) };
  const saved = await records.change(project, mac, retry, { by, action: 'device.retry' });
  // Only a new device can be rejected for lack of room.
  return saved === 'full' ? undefined : saved;
}
