import type { Actor, DecisionRecord, DeviceRecord } from '../../storage/records.ts';
import { afterRetry } from './attempts.ts';
import type { DeviceRecords } from './device-records.ts';

/**
 * Clears a device's failures and interrupted downloads, so that their releases can be sent to the device at its next update check.
 *
 * @returns undefined if the device is unknown
 */
export async function retryFailedDevice(
  records: DeviceRecords,
  { project, mac, by, at }: { project: string; mac: string; by: Actor; at: number },
): Promise<DeviceRecord | undefined> {
  const retry = (record: DeviceRecord | undefined) => record && withoutFailures(record, at);
  const saved = await records.change(project, mac, retry, { by, action: 'retry' });
  // Only a new device can be rejected because the project is full.
  return saved === 'full' ? undefined : saved;
}

/** Returns a record without failed and interrupted attempts; the same object if there are none. */
export function withoutFailures(record: DeviceRecord, at: number): DeviceRecord {
  const { sketch, filesystem } = record.decisions;
  return {
    ...record,
    attempts: afterRetry(record.attempts),
    decisions: { sketch: retried(sketch, at), filesystem: retried(filesystem, at) },
  };
}

/** Replaces a decision that delays an update after a failure or an interrupted download. The next update check decides again. */
function retried(decision: DecisionRecord | undefined, at: number): DecisionRecord | undefined {
  if (decision?.code !== 'failed' && decision?.code !== 'interrupted') return decision;
  return {
    ...decision,
    code: 'retry',
    text: 'Retry requested: the server sends the update again at the next update check.',
    at,
  };
}
