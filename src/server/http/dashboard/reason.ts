import { failureText } from '../../services/devices/failure-text.ts';
import { deviceStatus } from '../../storage/device-status.ts';
import type { DeviceRecord } from '../../storage/records.ts';

/** Explains in one sentence why a device runs its current version, based on the last decision or the last attempt's failure. */
export function reasonOf(record: DeviceRecord): string {
  const { decisions, attempts } = record;
  const decided = [decisions.sketch, decisions.filesystem].filter((decision) => decision !== undefined);
  if (decided.length === 0) return 'No update check yet.';
  const status = deviceStatus(record);
  const failed = attempts.find(({ state }) => state === 'failed');
  if (status === 'failed' && failed !== undefined && decided.every(({ code }) => code !== 'failed')) {
    return `${failureText(failed)}.`;
  }
  const { sketch, filesystem } = decisions;
  const isAboutFiles = filesystem !== undefined && deviceStatus({ attempts, decisions: { sketch } }) !== status;
  return (isAboutFiles ? filesystem : (sketch ?? filesystem))?.text ?? '';
}
