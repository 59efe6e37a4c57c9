import type { DeviceRecord } from '../../storage/records.ts';
import { standingOf } from '../../storage/standing.ts';

const failures = {
  vanished: 'took all of it and was not heard of since',
  silent: 'took part of it and was not heard of since',
  'not-running': 'took it and came back without it',
  interrupted: 'never took all of it',
};

/** Why a device runs what it runs, in a sentence: what it was answered last, or how that ended. */
export function reasonOf(record: DeviceRecord): string {
  const { decisions, attempts } = record;
  const standing = standingOf(record);
  if (standing === 'unseen') return 'has never asked';
  const latest = attempts.find(({ state }) => state === 'failed');
  const isGivenUp = [decisions.sketch, decisions.filesystem].every((decision) => decision?.code !== 'failed');
  if (standing === 'failed' && isGivenUp && latest !== undefined) {
    return `was sent ${latest.version} and ${failures[latest.failure ?? 'interrupted']}`;
  }
  const { sketch, filesystem } = decisions;
  const isAboutFiles = filesystem !== undefined && standingOf({ attempts, decisions: { sketch } }) !== standing;
  return (isAboutFiles ? filesystem : (sketch ?? filesystem))?.text ?? '';
}
