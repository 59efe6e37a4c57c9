import type { DeviceRecord } from '../../storage/records.ts';
import { deviceStatus } from '../../storage/standing.ts';

const failures = {
  vanished: (version: string) => `${version} is not confirmed: no update check since the download.`,
  silent: (version: string) => `Download of ${version} was interrupted; no update check since.`,
  'not-running': (version: string) => `${version} was downloaded but not installed: the device runs another build.`,
  interrupted: (version: string) => `Download of ${version} never completed.`,
};

/** Explains in one sentence why a device runs its version: by the last decision, or by the failure of the last attempt. */
export function reasonOf(record: DeviceRecord): string {
  const { decisions, attempts } = record;
  const standing = deviceStatus(record);
  if (standing === 'unseen') return 'No update check yet.';
  const latest = attempts.find(({ state }) => state === 'failed');
  const isGivenUp = [decisions.sketch, decisions.filesystem].every((decision) => decision?.code !== 'failed');
  if (standing === 'failed' && isGivenUp && latest !== undefined) {
    return failures[latest.failure ?? 'interrupted'](latest.version);
  }
  const { sketch, filesystem } = decisions;
  const isAboutFiles = filesystem !== undefined && deviceStatus({ attempts, decisions: { sketch } }) !== standing;
  return (isAboutFiles ? filesystem : (sketch ?? filesystem))?.text ?? '';
}
