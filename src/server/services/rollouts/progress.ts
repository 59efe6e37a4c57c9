import { requiresCredentials } from '../../storage/device-credentials.ts';
import type {
  Attempt,
  DeviceRecord,
  Failure,
  ReportSource,
  RolloutExclusion,
  RolloutRecord,
} from '../../storage/records.ts';

/**
 * Progress of an enrolled device in a rollout.
 *
 * - blocked: the device cannot take the release. Preflight found the update unsafe, or the rollout has no image for the device.
 * - running: the device was recognized by its sketch MD5, or its filesystem counts as installed. `sinceMs` is on the `ServiceTime.servedMs`
 *   clock.
 * - undelivered: the device runs the release, but anyone could have reported that, because this server did not send it.
 *
 * `from` is the source of the evidence.
 */
export type MemberProgress =
  | { readonly state: 'pending' | 'updating' }
  /** `authenticated` is false if the report may be forged. */
  | { readonly state: 'blocked'; readonly authenticated: boolean }
  | { readonly state: 'running'; readonly sinceMs: number; readonly from: ReportSource | undefined }
  | { readonly state: 'undelivered'; readonly from: ReportSource | undefined }
  | { readonly state: 'failed'; readonly failure: Failure; readonly from: ReportSource | undefined };

/** Fields of a rollout that determine the progress of its devices. */
export type Progressing = Pick<RolloutRecord, 'releaseIds' | 'version' | 'startedMs'>;

/** Determines the progress from the stored record alone, so that the result is the same after a restart. */
export function memberProgress(rollout: Progressing, record: DeviceRecord): MemberProgress {
  const attempt = memberAttempt(rollout, record);
  if (isRunningRelease(rollout, record, attempt)) return runningProgress(rollout, record, attempt);
  if (attempt?.state === 'failed') {
    return { state: 'failed', failure: attempt.failure ?? 'not-installed', from: attempt.from };
  }
  if (attempt !== undefined && attempt.state !== 'running') return { state: 'updating' };
  const exclusion = exclusionOf(rollout, record);
  if (exclusion !== undefined) return { state: 'blocked', authenticated: exclusion.isProven };
  const { action, code, version, authenticated = false } = record.decisions.sketch ?? {};
  const isBlocked = action === 'none' && code?.startsWith('blocked') && version === rollout.version;
  // A device that is pinned to the version is sent its releases regardless of the rollout, which has no exclusion for it.
  const isWithoutBoard = code === 'board-unknown' && record.pin === rollout.version;
  return isBlocked || isWithoutBoard ? { state: 'blocked', authenticated } : { state: 'pending' };
}

/** Returns the latest attempt to send a release of the rollout to the device. */
export function memberAttempt(
  { releaseIds }: Pick<Progressing, 'releaseIds'>,
  { attempts }: DeviceRecord,
): Attempt | undefined {
  return attempts.find(({ releaseId }) => releaseIds.includes(releaseId));
}

/** Returns why the rollout has no image for the device; undefined if it has one. */
export function exclusionOf(
  { version }: Pick<Progressing, 'version'>,
  { exclusion, board }: DeviceRecord,
): RolloutExclusion | undefined {
  return exclusion?.version === version && exclusion.setBoard === board ? exclusion : undefined;
}

function runningProgress(
  { startedMs }: Progressing,
  record: DeviceRecord,
  attempt: Attempt | undefined,
): MemberProgress {
  const { running } = record;
  const from = attempt?.kind === 'filesystem' ? attempt.from : running?.from;
  const sinceMs = running?.sinceMs ?? 0;
  const isDelivered = attempt !== undefined && wasDelivered(attempt, sinceMs, startedMs);
  const isProven = from?.authenticated === true || (isDelivered && !requiresCredentials(record));
  return isProven ? { state: 'running', sinceMs, from } : { state: 'undelivered', from };
}

/**
 * Returns whether this server sent the release during the rollout, or sent it earlier and the device already ran it when the rollout
 * started.
 */
function wasDelivered({ kind, sentMs }: Attempt, sinceMs: number, startedMs: number): boolean {
  return kind === 'filesystem' || sentMs >= startedMs || sinceMs <= startedMs;
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
  return isOnChannel(record, rollout.channel);
}

/** Returns whether a device may be on a channel. A device that has sent no request may be on any channel. */
export function isOnChannel(
  { channel, requestedChannels }: Pick<DeviceRecord, 'channel' | 'requestedChannels'>,
  name: string,
): boolean {
  return channel === undefined ? (requestedChannels?.includes(name) ?? true) : channel === name;
}
