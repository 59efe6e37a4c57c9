import type { DeviceRecord } from './records.ts';

/** Largest number of devices evicted together when a project is full, so that not every new device triggers an eviction. */
const mostEvictedAtOnce = 100;
/** A device that was not seen for longer than this is not protected, even if it is proven. */
export const protectedForMs = 30 * 24 * 60 * 60_000;

/**
 * Protection of a device against eviction.
 *
 * - 0: enrolled, or with credentials of its own. Never counted towards the limit and never evicted.
 * - 1: only seen in requests. Evicted first.
 * - 2: has checked in running an update. Protected if it was seen recently. At most half of the limit is protected, because an attacker can
 *   make an invented device look proven with two requests.
 */
export type Retention = 0 | 1 | 2;

export function retentionOf({
  enrolled,
  credential,
  secrets,
  proven,
}: Pick<DeviceRecord, 'enrolled' | 'credential' | 'secrets' | 'proven'>): Retention {
  if (enrolled || credential !== undefined || secrets !== undefined) return 0;
  return proven === true ? 2 : 1;
}

/** Returns how many devices are evicted together from a project with this limit. */
export function evictedAtOnce(mostDevices: number): number {
  return Math.min(mostEvictedAtOnce, Math.ceil(mostDevices / 10));
}
