import type { Attempt, DeviceRecord, Failure, RolloutRecord } from '../../storage/records.ts';

/**
 * Progress of an enrolled device in a rollout.
 *
 * - blocked: preflight found the update unsafe.
 * - running: the device was recognized by its sketch MD5, or its filesystem counts as installed. `sinceMs` is on the `ServiceTime.servedMs`
 *   clock.
 */
export type MemberProgress =
  | { readonly state: 'pending' | 'blocked' | 'updating' }
  | { readonly state: 'running'; readonly sinceMs: number }
  | { readonly state: 'failed'; readonly failure: Failure };

/** Determines the progress from the stored record alone, so that the result is the same after a restart. */
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
  // Identical builds may have several names. The attempt shows that this release was delivered.
  return releaseIds.includes(running.releaseId ?? -1) || attempt?.state === 'running';
}

/**
 * Returns whether a rollout counts this device. The device must be enrolled, because other devices are not trusted, and the release must be
 * available to the device.
 */
export function isMember(rollout: Pick<RolloutRecord, 'channel' | 'version'>, record: DeviceRecord): boolean {
  if (!record.enrolled) return false;
  if (record.pin !== undefined) return record.pin === rollout.version;
  return (record.channel ?? record.askedChannel ?? rollout.channel) === rollout.channel;
}
