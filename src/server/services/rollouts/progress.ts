import type { Attempt, DeviceRecord, Failure, RolloutRecord } from '../../storage/records.ts';

/**
 * How far an enrolled device has come with the release of a rollout. refused: preflight finds it unsafe for this device. running: seen by
 * its sketch MD5, since a time of the server's own clock.
 */
export type Progress =
  | { readonly state: 'waiting' | 'refused' | 'sent' }
  | { readonly state: 'running'; readonly sinceMs: number }
  | { readonly state: 'failed'; readonly failure: Failure };

/** A pure function of what is stored of a device: after a restart the same comes out. */
export function progressOf(rollout: Pick<RolloutRecord, 'releaseIds' | 'version'>, record: DeviceRecord): Progress {
  const attempt = record.attempts.find(({ releaseId }) => rollout.releaseIds.includes(releaseId));
  if (isRunningRelease(rollout, record, attempt)) return { state: 'running', sinceMs: record.running?.sinceMs ?? 0 };
  if (attempt?.state === 'failed') return { state: 'failed', failure: attempt.failure ?? 'interrupted' };
  if (attempt !== undefined && attempt.state !== 'running') return { state: 'sent' };
  const { action, code, version } = record.decisions.sketch ?? {};
  const isRefused = action === 'refuse' && code?.startsWith('unsafe') && version === rollout.version;
  return { state: isRefused ? 'refused' : 'waiting' };
}

function isRunningRelease(
  { releaseIds }: Pick<RolloutRecord, 'releaseIds'>,
  { running }: DeviceRecord,
  attempt: Attempt | undefined,
): boolean {
  if (attempt?.kind === 'filesystem') return attempt.state === 'running';
  if (running?.by !== 'md5') return false;
  // Equal bytes may bear several names: the attempt tells that it is this one that arrived.
  return releaseIds.includes(running.releaseId ?? -1) || attempt?.state === 'running';
}

/** Whether a rollout waits for this device and learns from it: only what is enrolled can be believed, and only who may get it counts. */
export function isMember(rollout: Pick<RolloutRecord, 'channel' | 'version'>, record: DeviceRecord): boolean {
  if (!record.enrolled) return false;
  if (record.pin !== undefined) return record.pin === rollout.version;
  return (record.channel ?? record.askedChannel ?? rollout.channel) === rollout.channel;
}
