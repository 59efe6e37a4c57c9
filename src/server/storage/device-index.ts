import type { DeviceStatus } from '../../api/admin-info.ts';
import { defaultChannel } from '../../api/release.ts';
import { blockersOf, deviceStatus } from './device-status.ts';
import type { Attempt, DeviceRecord } from './records.ts';

/** Values derived from a device record. A store filters and counts devices by these values. */
export interface DeviceIndex {
  readonly status: DeviceStatus;
  readonly name: string | undefined;
  /** Version that the device runs, if it was recognized. */
  readonly runs: string | undefined;
  readonly group: string | undefined;
  /** Board that a person has set, or that a build of the device has shown. */
  readonly board: string | undefined;
  /** ID of the release that the device runs. */
  readonly releaseId: number | undefined;
  readonly labels: readonly string[];
  /** Channels whose releases the device is sent; none if the device is pinned to a version. */
  readonly channels: readonly string[];
  readonly isEnrolled: boolean;
  /** Rules that block the device, or `board-unknown`; see `blockersOf`. */
  readonly blockers: readonly string[];
}

export function deviceIndex(record: DeviceRecord): DeviceIndex {
  const { name, running, group, labels = [], channel, requestedChannels = [defaultChannel], pin, enrolled } = record;
  const channels = channel === undefined ? requestedChannels : [channel];
  return {
    status: deviceStatus(record),
    name,
    runs: running?.version,
    group,
    board: record.board ?? record.shownBoard,
    releaseId: running?.releaseId,
    labels,
    channels: pin === undefined ? channels : [],
    isEnrolled: enrolled,
    blockers: blockersOf(record),
  };
}

/** Returns the earliest time at which a pending attempt becomes overdue; undefined if no attempt is pending. */
export function earliestDueMs(attempts: readonly Attempt[]): number | undefined {
  const due = attempts.filter(({ state }) => state === 'sent' || state === 'received').map(({ dueMs }) => dueMs);
  return due.length === 0 ? undefined : Math.min(...due);
}
