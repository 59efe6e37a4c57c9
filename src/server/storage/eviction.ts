import type { DeviceRecord } from './records.ts';

/** Number of devices evicted together when a project is full, so that not every new device triggers an eviction. */
export const evictedAtOnce = 100;

/**
 * Returns whether a full project may evict a device to make room for a new one: the device is not enrolled and has never checked in running
 * an update. Devices that were last seen the longest time ago are evicted first.
 */
export function isEvictable({ enrolled, proven }: Pick<DeviceRecord, 'enrolled' | 'proven'>): boolean {
  return !enrolled && proven !== true;
}
