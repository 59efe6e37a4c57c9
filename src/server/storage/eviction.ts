import type { DeviceRecord } from './records.ts';

/** Number of devices evicted at once when a project is full, so that not every new device triggers an eviction. */
export const evictedAtOnce = 100;

/**
 * Returns whether a device may be evicted from a full project to make room for a new one: it is not enrolled and has never checked in
 * running an update. The devices that have not been seen for the longest time are evicted first.
 */
export function isEvictable({ enrolled, proven }: Pick<DeviceRecord, 'enrolled' | 'proven'>): boolean {
  return !enrolled && proven !== true;
}
