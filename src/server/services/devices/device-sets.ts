import { setImmediate } from 'node:timers/promises';
import { type DeviceSet, mostDevicesAtOnce } from '../../../api/device-sets.ts';
import { newRecord } from '../../storage/device-record.ts';
import type { Actor, DeviceRecord } from '../../storage/records.ts';
import type { ServiceParts } from '../parts.ts';
import { awaitsRetry } from './attempts.ts';
import type { DeviceChange } from './device-events.ts';
import type { DeviceRecords } from './device-records.ts';
import { withoutFailures } from './retry-device.ts';

/** Number of devices in one transaction. Device requests are handled between two transactions. */
export const changedAtOnce = 250;

/** Page of a set of devices. */
interface SetPage {
  readonly project: string;
  readonly devices: DeviceSet;
  /** MAC after which the page begins. */
  readonly after?: string | undefined;
  readonly by: Actor;
}

interface SetResult {
  readonly matched: number;
  readonly changed: number;
  readonly unknown: readonly string[];
  readonly next: string | undefined;
}

/**
 * Changes a page of devices.
 *
 * @param change returns the same object if nothing changes
 * @param mayAdd true to add the devices without a record
 */
export function changeDevices(
  records: DeviceRecords,
  page: SetPage,
  change: (record: DeviceRecord) => DeviceRecord,
  mayAdd: boolean,
): Promise<SetResult> {
  const ofDevice = (record: DeviceRecord | undefined, mac: string) =>
    record === undefined ? (mayAdd ? change(newRecord(page.project, mac)) : undefined) : change(record);
  return changePage(records, page, ofDevice, { by: page.by, action: 'edit' });
}

/**
 * Clears the failures and interrupted downloads of a page of devices, so that their releases can be sent again. Channels and rollouts decide
 * about these sends as about all others: a halted rollout sends nothing, and failures that were accepted before count again.
 */
export async function retryDevices(
  { records, rollouts, clock }: Pick<ServiceParts, 'records' | 'rollouts' | 'clock'>,
  page: SetPage,
): Promise<SetResult> {
  const at = clock.now().wallMs;
  const retry = (record: DeviceRecord | undefined) =>
    record !== undefined && isRetryable(record) ? withoutFailures(record, at) : record;
  const result = await changePage(records, page, retry, { by: page.by, action: 'retry' });
  await rollouts.lowerAccepted(page.project);
  return result;
}

/** Returns whether a retry would send an update to a device again. */
export function isRetryable({ attempts, decisions }: DeviceRecord): boolean {
  const codes = [decisions.sketch?.code, decisions.filesystem?.code];
  return attempts.some(awaitsRetry) || codes.some((code) => code === 'failed' || code === 'interrupted');
}

async function changePage(
  records: DeviceRecords,
  { project, devices, after }: SetPage,
  change: (record: DeviceRecord | undefined, mac: string) => DeviceRecord | undefined,
  as: DeviceChange,
): Promise<SetResult> {
  const { macs, next } = 'macs' in devices ? { macs: devices.macs, next: undefined } : await listed();
  const result = { matched: 0, changed: 0, unknown: [] as string[], next };
  for (let at = 0; at < macs.length; at += changedAtOnce) {
    const some = macs.slice(at, at + changedAtOnce);
    const { changed, unknown } = await records.changeAll(project, some, change, as);
    result.matched += new Set(some).size - unknown.length;
    result.changed += changed.length;
    result.unknown.push(...unknown);
    await setImmediate();
  }
  return result;

  async function listed() {
    if ('macs' in devices) throw new Error('the devices are not selected by conditions');
    const { version, proven, ...filter } = devices;
    const found = await records.list(project, { after, limit: mostDevicesAtOnce }, { ...filter, runs: version });
    const meant = found.filter(({ record }) => proven !== true || record.proven === true);
    const isLast = found.length < mostDevicesAtOnce;
    return { macs: meant.map(({ record }) => record.mac), next: isLast ? undefined : found.at(-1)?.record.mac };
  }
}
