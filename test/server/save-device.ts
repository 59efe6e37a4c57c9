import type { ServerParts } from '../../src/server/parts.ts';
import type { DeviceChange } from '../../src/server/services/devices/device-events.ts';
import type { DeviceRecord } from '../../src/server/storage/records.ts';

/** Stores a new device, or replaces its record. */
export async function saveDevice(
  { records }: Pick<ServerParts, 'records'>,
  record: DeviceRecord,
  as: DeviceChange = {},
): Promise<void> {
  const replace = (before: DeviceRecord | undefined) => ({ ...record, revision: before?.revision ?? 0 });
  await records.change(record.project, record.mac, replace, as);
}
