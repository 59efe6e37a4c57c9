import type { Attempt, DeviceRecord, Failure, RolloutRecord } from '../../storage/records.ts';

/**
 * Progress of an enrolled device with the release of a rollout. blocked: preflight found the update unsafe. running: recognized by its sketch MD5, or a
 * filesystem that counts as installed; `sinceMs` is on the clock of `ServiceTime.servedMs`.
 */
export type MemberProgress =
  | { readonly state: 'pending' | 'blocked' | 'updating' }
  | { readonly state: 'running'; readonly sinceMs: number }
  | { readonly state: 'failed'; readonly failure: Failure };

/** Computes the progress from the stored record alone, so that it is the same after a restart. */
export function memberProgress(
  rollout: Pick<RolloutRecord, 'releaseIds' | 'version'>,
  record: DeviceRecord,
): MemberProgress {
  const attempt = record.attempts.find(({ releaseId }) => rollout.releaseIds.includes(releaseId));
  if (isRunningRelease(rollout, record, attempt)) return { state: 'running', sinceMs: record.running?.sinceMs ?? 0 };
  if (attempt?.state === 'failed') return { state: 'failed', failure: attempt.failure ?? 'interrupted' };
  if (attempt !== undefined && attempt.state !== 'running') return { state: 'updating' };
  const { action, code, version } = record.decisions.sketch ?? {};
  const isBlocked = action === 'none' && code?.startsWith('blocked') && version === rollout.version;
  return { state: isBlocked ? 'blocked' : 'pending' };
}

function isRunningRelease(
  { releaseIds }: Pick<RolloutRecord, 'releaseIds'>,
  { running }: DeviceRecord,
  attempt: Attempt | undefined,
): boolean {
  if (attempt?.kind === 'filesystem') return attempt.state === 'running';
  if (running?.by !== 'md5') return false;
  // Equal builds may have several names; the attempt shows that this release was delivered.
  return releaseIds.includes(running.releaseId ?? -1) || attempt?.state === 'running';
}

/** Returns whether a rollout counts this device: only enrolled devices are trusted, and only devices that may get the release count. */
export function isMember(rollout: Pick<RolloutRecord, 'channel' | 'version'>, record: DeviceRecord): boolean {
  if (!record.enrolled) return false;
  if (record.pin !== undefined) return record.pin === rollout.version;
  return (record.channel ?? record.askedChannel ?? rollout.channel) === rollout.channel;
}
