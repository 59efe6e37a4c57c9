import type { DeviceStatus } from '../../../api/admin-info.ts';
import { deviceIndex } from '../device-index.ts';
import type { DeviceRecord } from '../records.ts';

/** Columns for a device, including its `DeviceIndex`. */
export interface IndexColumns {
  readonly status: DeviceStatus;
  readonly name: string | null;
  readonly runs: string | null;
  readonly device_group: string | null;
}

export function indexColumns(record: DeviceRecord): IndexColumns {
  const { status, name, runs, group } = deviceIndex(record);
  return { status, name: name ?? null, runs: runs ?? null, device_group: group ?? null };
}

export function hasSameIndex(a: IndexColumns, b: IndexColumns): boolean {
  return a.status === b.status && a.name === b.name && a.runs === b.runs && a.device_group === b.device_group;
}
