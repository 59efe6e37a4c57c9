import type { Attempt, Failure, ReleaseRecord, ReportSource } from '../../storage/records.ts';
import type { ServiceTime } from '../rollouts/service-clock.ts';
import type { DeviceReport, Mode } from './report.ts';
import { isRunning, type Running } from './running.ts';

/** Limits beyond which an attempt fails. */
export interface RetryPolicy {
  readonly confirmWithinMs: number;
  /** Number of complete downloads; downloads that broke off do not count. */
  readonly mostSends: number;
}

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
/**
 * Waits after the first, second and each further download that broke off. A weak connection often lasts for hours, and each attempt uses
 * power and, for a filesystem image, overwrites the files. With a confirmation time of less than a day, the waits are shorter in the same
 * proportion.
 */
const interruptionWaitsMs = [hourMs, 4 * hourMs, dayMs] as const;

/** Number of attempts kept per device; older ones are dropped. */
const mostAttempts = 16;

export function attemptOf(attempts: readonly Attempt[], releaseId: number): Attempt | undefined {
  return attempts.find((attempt) => attempt.releaseId === releaseId);
}

interface Seen {
  readonly report: DeviceReport;
  readonly mode: Mode;
  readonly running: Running;
}

/**
 * Updates a device's attempts after a request, latest attempt first. The request shows that the device is online and which build it runs.
 * Attempts older than the attempt whose build is running are dropped. A failed attempt is kept until it is retried or its build runs.
 *
 * @returns the same object if nothing changed
 */
export function afterRequest(
  attempts: readonly Attempt[],
  seen: Seen,
  retryPolicy: RetryPolicy,
  now: ServiceTime,
): readonly Attempt[] {
  const there = attempts.findIndex((attempt) => attempt.kind === 'sketch' && isThere(attempt, seen));
  const after = attempts.flatMap((attempt, index): readonly Attempt[] => {
    if (index === 0 && isRejected(attempt, seen)) return [withRejection(attempt, seen.report.rejection)];
    if (attempt.kind === 'filesystem') return [filesystemAfterRequest(attempt, seen, retryPolicy, now)];
    if (index === there) return [withState(attempt, 'running')];
    if (attempt.state === 'failed') return [stillWaiting(attempt, retryPolicy, now)];
    if (there !== -1 && index > there) return [];
    if (attempt.state !== 'running') return [stillWaiting(attempt, retryPolicy, now)];
    // A device that returns to a different build within the confirmation time did not confirm the release. Without this rule, the release
    // could be sent forever.
    return now.servedMs > attempt.dueMs ? [] : [stillWaiting(withState(attempt, 'sent'), retryPolicy, now)];
  });
  const areSame = after.length === attempts.length && after.every((attempt, index) => attempt === attempts[index]);
  return areSame ? attempts : after;
}

/**
 * Returns whether the guard of the device rejected the latest update. The device reports a rejection until the next update starts, and the
 * guard checks complete images only. After a download that broke off, the report may therefore be about an earlier update.
 */
function isRejected(attempt: Attempt, seen: Seen): boolean {
  if (seen.report.rejection === undefined || attempt.lastInterrupted === attempt.sends) return false;
  return attempt.state !== 'running' && !isThere(attempt, seen);
}

function isThere({ releaseId, version }: Attempt, { report, running }: Seen): boolean {
  return isRunning(running, releaseId) || (running.by === 'version' && report.version === version);
}

/**
 * Updates a filesystem attempt. Devices do not report their files. Therefore the files count as installed after a complete download, unless
 * the device reports a different version.
 */
function filesystemAfterRequest(
  attempt: Attempt,
  { report, mode }: Seen,
  retryPolicy: RetryPolicy,
  now: ServiceTime,
): Attempt {
  if (attempt.state === 'failed') return stillWaiting(attempt, retryPolicy, now);
  const saysOther = mode === 'spiffs' && report.version !== undefined && report.version !== attempt.version;
  if (saysOther)
    return stillWaiting(attempt.state === 'running' ? withState(attempt, 'sent') : attempt, retryPolicy, now);
  if (attempt.state === 'received') return withState(attempt, 'running');
  return attempt.state === 'running' ? attempt : stillWaiting(attempt, retryPolicy, now);
}

/**
 * Updates an attempt of a device that is online without running the build. The attempt fails when it reaches its limit of complete downloads
 * or of time. A download that broke off is not a failed update, even if the device was offline for longer than the confirmation time.
 */
function stillWaiting(attempt: Attempt, { mostSends }: RetryPolicy, now: ServiceTime): Attempt {
  if (attempt.rejection !== undefined) return attempt;
  const isAtLimit = deliveriesOf(attempt) >= mostSends;
  if (!isAtLimit && attempt.lastInterrupted === attempt.sends) return withState(attempt, 'interrupted');
  if (isAtLimit || now.servedMs > attempt.dueMs) return withFailure(attempt, 'not-installed');
  // The last of several downloads may have broken off only after the limit seemed to be reached.
  return attempt.state === 'failed' ? withState(attempt, 'sent') : attempt;
}

/** Returns the number of downloads that count against the limit: complete downloads, and downloads whose end was not recorded. */
export function deliveriesOf({ sends, interruptions }: Pick<Attempt, 'sends' | 'interruptions'>): number {
  return sends - interruptions;
}

/** Returns the wait from the start of an interrupted download to the next download. */
export function interruptionWaitMs({ interruptions }: Attempt, { confirmWithinMs }: RetryPolicy): number {
  const waitMs = interruptionWaitsMs[Math.min(interruptions, interruptionWaitsMs.length) - 1] ?? dayMs;
  return Math.min(1, confirmWithinMs / dayMs) * waitMs;
}

/**
 * Returns whether a device may be sent a sketch again that it did not install: once a day, and only if the device reports its sketch MD5.
 * Without the MD5, the server could not recognize that the sketch runs, and would send it forever.
 */
export function mayTryAgain(
  { kind, sentMs }: Attempt,
  { sketchMd5 }: DeviceReport,
  { servedMs }: ServiceTime,
): boolean {
  return kind === 'sketch' && sketchMd5 !== undefined && servedMs >= sentMs + dayMs;
}

/** Fails the pending attempts that a device did not confirm in time. */
export function overdue(attempts: readonly Attempt[], now: ServiceTime): readonly Attempt[] {
  return attempts.map((attempt) => {
    const isPending = attempt.state === 'sent' || attempt.state === 'received';
    if (!isPending || now.servedMs <= attempt.dueMs) return attempt;
    return withFailure(attempt, 'not-confirmed');
  });
}

/**
 * Adds an attempt before the first byte is sent. The new attempt replaces attempts of the same kind, except failed attempts for other
 * releases.
 */
export function afterSend(
  attempts: readonly Attempt[],
  { id, version, kind }: ReleaseRecord,
  { confirmWithinMs }: RetryPolicy,
  now: ServiceTime,
  from: ReportSource,
): readonly Attempt[] {
  const before = attemptOf(attempts, id);
  const attempt: Attempt = {
    releaseId: id,
    version,
    kind,
    state: 'sent',
    sends: (before?.sends ?? 0) + 1,
    receipts: before?.receipts ?? 0,
    interruptions: before?.interruptions ?? 0,
    lastInterrupted: before?.lastInterrupted,
    lastSentAt: now.wallMs,
    dueMs: now.servedMs + confirmWithinMs,
    sentMs: now.servedMs,
    from,
  };
  const others = attempts.filter(
    (other) => other.kind !== kind || (other.state === 'failed' && other.releaseId !== id),
  );
  return [attempt, ...others].slice(0, mostAttempts);
}

/** Counts a complete download. Keeps the state if a later request has already changed it. */
export function afterReceipt(attempts: readonly Attempt[], releaseId: number): readonly Attempt[] {
  return attempts.map((attempt) => {
    if (attempt.releaseId !== releaseId) return attempt;
    const receipts = attempt.receipts + 1;
    return { ...attempt, receipts, state: attempt.state === 'sent' ? 'received' : attempt.state };
  });
}

/**
 * Counts a download that broke off.
 *
 * @param sends value of `Attempt.sends` for this download; the device may have started another one
 */
export function afterInterruption(attempts: readonly Attempt[], releaseId: number, sends: number): readonly Attempt[] {
  return attempts.map((attempt) => {
    if (attempt.releaseId !== releaseId || attempt.interruptions >= attempt.sends) return attempt;
    const lastInterrupted = Math.max(sends, attempt.lastInterrupted ?? 0);
    return { ...attempt, interruptions: attempt.interruptions + 1, lastInterrupted };
  });
}

/** Removes failed and interrupted attempts, so that their releases can be sent again immediately. */
export function afterRetry(attempts: readonly Attempt[]): readonly Attempt[] {
  return attempts.filter((attempt) => !awaitsRetry(attempt));
}

/** Returns whether the release of an attempt is sent again only after a wait or a retry. */
export function awaitsRetry({ state }: Pick<Attempt, 'state'>): boolean {
  return state === 'failed' || state === 'interrupted';
}

function withState(attempt: Attempt, state: Exclude<Attempt['state'], 'failed'>): Attempt {
  if (attempt.state === state) return attempt;
  const { failure: _, rejection: __, ...rest } = attempt;
  return { ...rest, state };
}

/** Fails an attempt at once: the device would reject the same update again. */
function withRejection(attempt: Attempt, rejection: number | undefined): Attempt {
  if (attempt.rejection === rejection) return attempt;
  return { ...attempt, state: 'failed', failure: 'not-installed', rejection };
}

function withFailure(attempt: Attempt, failure: Failure): Attempt {
  return attempt.state === 'failed' && attempt.failure === failure ? attempt : { ...attempt, state: 'failed', failure };
}
