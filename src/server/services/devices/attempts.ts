import type { Attempt, Failure, ReleaseRecord, ReportSource } from '../../storage/records.ts';
import type { ServiceTime } from '../rollouts/service-clock.ts';
import type { DeviceReport, Mode } from './report.ts';
import { isRunning, type Running } from './running.ts';

/** Limits beyond which an attempt fails. */
export interface RetryPolicy {
  readonly confirmWithinMs: number;
  readonly mostSends: number;
}

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
 */
export function afterRequest(
  attempts: readonly Attempt[],
  seen: Seen,
  retryPolicy: RetryPolicy,
  now: ServiceTime,
): readonly Attempt[] {
  const there = attempts.findIndex((attempt) => attempt.kind === 'sketch' && isThere(attempt, seen));
  return attempts.flatMap((attempt, index): readonly Attempt[] => {
    if (attempt.kind === 'filesystem') return [filesystemAfterRequest(attempt, seen, retryPolicy, now)];
    if (index === there) return [withState(attempt, 'running')];
    if (attempt.state === 'failed') return [stillWaiting(attempt, retryPolicy, now)];
    if (there !== -1 && index > there) return [];
    if (attempt.state !== 'running') return [stillWaiting(attempt, retryPolicy, now)];
    // A device that returns to a different build within the confirmation time did not confirm the release. Without this rule, the release
    // could be sent forever.
    return now.servedMs > attempt.dueMs ? [] : [stillWaiting(withState(attempt, 'sent'), retryPolicy, now)];
  });
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
  if (attempt.state === 'failed') return attempt;
  const saysOther = mode === 'spiffs' && report.version !== undefined && report.version !== attempt.version;
  if (saysOther)
    return stillWaiting(attempt.state === 'running' ? withState(attempt, 'sent') : attempt, retryPolicy, now);
  if (attempt.state === 'received') return withState(attempt, 'running');
  return attempt.state === 'running' ? attempt : stillWaiting(attempt, retryPolicy, now);
}

/** Fails an attempt that reached its limit of downloads or time while the device is online without running the build. */
function stillWaiting(attempt: Attempt, { mostSends }: RetryPolicy, now: ServiceTime): Attempt {
  const isUsedUp = attempt.sends >= mostSends || now.servedMs > attempt.dueMs;
  if (attempt.state !== 'failed' && !isUsedUp) return attempt;
  return withFailure(attempt, attempt.receipts > 0 ? 'not-installed' : 'interrupted');
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

/** Removes failed attempts, so that their releases can be sent again. */
export function afterRetry(attempts: readonly Attempt[]): readonly Attempt[] {
  return attempts.filter(({ state }) => state !== 'failed');
}

function withState(attempt: Attempt, state: Exclude<Attempt['state'], 'failed'>): Attempt {
  if (attempt.state === state) return attempt;
  const { failure: _, ...rest } = attempt;
  return { ...rest, state };
}

function withFailure(attempt: Attempt, failure: Failure): Attempt {
  return attempt.state === 'failed' && attempt.failure === failure ? attempt : { ...attempt, state: 'failed', failure };
}
