import type { DeviceStatus } from '../../api/admin-info.ts';
import { blockersOf, deviceStatus } from './device-status.ts';
import type { Attempt, DeviceRecord } from './records.ts';

/** Values derived from a device record. A store filters and counts devices by these values. */
export interface DeviceIndex {
  readonly status: DeviceStatus;
  readonly name: string | undefined;
  /** Version that the device runs, if it was recognized. */
  readonly runs: string | undefined;
  readonly group: string | undefined;
  /** What blocks the device; see `blockersOf`. */
  readonly blockers: readonly string[];
}

export function deviceIndex(record: DeviceRecord): DeviceIndex {
  const { name, running, group } = record;
  return { status: deviceStatus(record), name, runs: running?.version, group, blockers: blockersOf(record) };
}

/** Returns the earliest time at which a pending attempt becomes overdue; undefined if no attempt is pending. */
export function earliestDueMs(attempts: readonly Attempt[]): number | undefined {
  const due = attempts.filter(({ state }) => state === 'sent' || state === 'received').map(({ dueMs }) => dueMs);
  return due.length === 0 ? undefined : Math.min(...due);
}
