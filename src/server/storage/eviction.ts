import type { DeviceRecord } from './records.ts';

/** Number of devices evicted at once when a project is full, so that not every new device has to make room. */
export const evictedAtOnce = 100;

/**
 * Returns whether a device may be evicted from a full project, for a new device: it is not enrolled and never came back with an update. The
 * devices not seen for longest are evicted first.
 */
export function isEvictable({ enrolled, proven }: Pick<DeviceRecord, 'enrolled' | 'proven'>): boolean {
  return !enrolled && proven !== true;
}
