import { changedRecord } from '../../storage/device-record.ts';
import type { Attempt, DeviceRecord, ReportSource, SeenDevice } from '../../storage/records.ts';
import type { ProjectView } from '../releases/project-view.ts';
import { isMember } from '../rollouts/progress.ts';
import { isUnderWay } from '../rollouts/step.ts';

/** Times before which history is removed, in milliseconds since 1970; -Infinity to keep all of it. */
export interface HistoryEnds {
  /** For reports and times of check-ins, and for addresses. */
  readonly checkInsMs: number;
  readonly attemptsMs: number;
}

type View = Pick<ProjectView, 'channels' | 'rollouts'>;

/**
 * Returns a record without its old addresses and attempts. Keeps the data that a rollout in progress counts, and the attempts from which the
 * retry policy decides.
 *
 * @returns the same object if there is nothing to remove
 */
export function withoutOldHistory(record: DeviceRecord, view: View, ends: HistoryEnds): DeviceRecord {
  const counted = new Set(
    view.rollouts
      .filter((rollout) => isUnderWay(rollout) && isMember(rollout, record))
      .flatMap(({ releaseIds }) => releaseIds),
  );
  const isCounted = ({ releaseId }: { readonly releaseId?: number | undefined }) => counted.has(releaseId ?? -1);
  const isOld = (attempt: Attempt) => attempt.lastSentAt < ends.checkInsMs && !isCounted(attempt);
  const attempts = record.attempts
    .filter(
      (attempt) =>
        attempt.lastSentAt >= ends.attemptsMs ||
        isCounted(attempt) ||
        isInUse(attempt, record) ||
        isServed(attempt, view),
    )
    .map((attempt) => (isOld(attempt) ? withoutAddress(attempt) : attempt));
  const { running } = record;
  const hasOldRunning =
    running !== undefined &&
    (running.from?.at ?? 0) < ends.checkInsMs &&
    !isCounted(running) &&
    !record.attempts.some(isCounted);
  const next = changedRecord(record, { attempts, running: hasOldRunning ? withoutAddress(running) : running });
  const isSame =
    next.running === running &&
    attempts.length === record.attempts.length &&
    attempts.every((attempt, index) => attempt === record.attempts[index]);
  return isSame ? record : next;
}

/** Returns whether the server must remember an attempt: it has not ended, its failure is the status of the device, or its build runs. */
function isInUse(attempt: Attempt, { attempts, running }: DeviceRecord): boolean {
  const { state, releaseId, kind } = attempt;
  if (state === 'running') return kind === 'filesystem' || running?.releaseId === releaseId;
  return state !== 'failed' || attempts.find((latest) => latest.kind === kind) === attempt;
}

/** Returns whether a channel serves the release of a failed attempt: without the attempt, the server would send the release again. */
function isServed({ releaseId }: Attempt, { channels }: View): boolean {
  return [...channels.values()].some(({ current, intermediateReleases }) =>
    [...current, ...intermediateReleases].some(({ id }) => id === releaseId),
  );
}

/** Returns the same object if it has no address. */
function withoutAddress<Sourced extends { readonly from?: ReportSource | undefined }>(source: Sourced): Sourced {
  if (source.from?.address === undefined) return source;
  const { address: _, ...from } = source.from;
  return { ...source, from };
}

/**
 * Returns whether a device is known only from old requests: it is not enrolled and has no settings, and the limits of its check-ins and
 * its attempts have passed.
 */
export function isForgotten({ record, lastSeenAt }: SeenDevice, ends: HistoryEnds): boolean {
  const seenAt = lastSeenAt ?? record.firstSeenAt ?? Number.POSITIVE_INFINITY;
  return (
    !hasSettings(record) &&
    seenAt < ends.checkInsMs &&
    record.attempts.every((each) => each.lastSentAt < ends.attemptsMs)
  );
}

function hasSettings(record: DeviceRecord): boolean {
  const { enrolled, name, board, channel, group, pin, atomicFs, allow, credential, secrets, install } = record;
  return (
    enrolled ||
    [name, board, channel, group, pin, atomicFs, allow, credential, secrets, install].some((set) => set !== undefined)
  );
}
