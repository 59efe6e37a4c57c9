import type { Attempt, Failure, ReleaseRecord } from '../../storage/records.ts';
import type { ServiceTime } from '../rollouts/service-clock.ts';
import type { DeviceReport, Mode } from './report.ts';
import { isRunning, type Running } from './running.ts';

/** When a device is given up. */
export interface Patience {
  readonly confirmWithinMs: number;
  readonly mostSends: number;
}

/** More releases than that in a row are remembered by their being the newest. */
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
 * What a request shows of earlier attempts: a device that asks is alive, and says what it runs. The latest attempt comes first; with one
 * that runs, those before it are done with, but a failure stays until somebody forgives it.
 */
export function afterRequest(
  attempts: readonly Attempt[],
  seen: Seen,
  patience: Patience,
  now: ServiceTime,
): readonly Attempt[] {
  const there = attempts.findIndex((attempt) => attempt.kind === 'sketch' && isThere(attempt, seen));
  return attempts.flatMap((attempt, index): readonly Attempt[] => {
    if (attempt.kind === 'filesystem') return [filesystemAfterRequest(attempt, seen, patience, now)];
    if (index === there) return [withState(attempt, 'running')];
    if (attempt.state === 'failed') return [stillWaiting(attempt, patience, now)];
    if (there !== -1 && index > there) return [];
    if (attempt.state !== 'running') return [stillWaiting(attempt, patience, now)];
    // It had it, and something else was put on it since. Soon after, that counts: what loses each update must not get it for ever.
    return now.servedMs > attempt.dueMs ? [] : [stillWaiting(withState(attempt, 'sent'), patience, now)];
  });
}

function isThere({ releaseId, version }: Attempt, { report, running }: Seen): boolean {
  return isRunning(running, releaseId) || (running.by === 'version' && report.version === version);
}

/** Nothing tells which files a device has: after a download that ended in order it is believed to have them, unless it says otherwise. */
function filesystemAfterRequest(
  attempt: Attempt,
  { report, mode }: Seen,
  patience: Patience,
  now: ServiceTime,
): Attempt {
  if (attempt.state === 'failed') return attempt;
  const saysOther = mode === 'spiffs' && report.version !== undefined && report.version !== attempt.version;
  if (saysOther) return stillWaiting(attempt.state === 'running' ? withState(attempt, 'sent') : attempt, patience, now);
  if (attempt.state === 'received') return withState(attempt, 'running');
  return attempt.state === 'running' ? attempt : stillWaiting(attempt, patience, now);
}

/** It is here, and without the build that it was sent. */
function stillWaiting(attempt: Attempt, { mostSends }: Patience, now: ServiceTime): Attempt {
  const isUsedUp = attempt.sends >= mostSends || now.servedMs > attempt.dueMs;
  if (attempt.state !== 'failed' && !isUsedUp) return attempt;
  return withFailure(attempt, attempt.receipts > 0 ? 'not-running' : 'interrupted');
}

/** Of a device that was not heard of. */
export function overdue(attempts: readonly Attempt[], now: ServiceTime): readonly Attempt[] {
  return attempts.map((attempt) => {
    const isPending = attempt.state === 'sent' || attempt.state === 'received';
    if (!isPending || now.servedMs <= attempt.dueMs) return attempt;
    return withFailure(attempt, attempt.state === 'received' ? 'vanished' : 'silent');
  });
}

/** Before the first byte leaves. It takes the place of what was under way, and of what ran. */
export function afterSend(
  attempts: readonly Attempt[],
  { id, version, kind }: ReleaseRecord,
  { confirmWithinMs }: Patience,
  now: ServiceTime,
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
  };
  const others = attempts.filter(
    (other) => other.kind !== kind || (other.state === 'failed' && other.releaseId !== id),
  );
  return [attempt, ...others].slice(0, mostAttempts);
}

/** The download ended in order. What the device has said since goes first. */
export function afterReceipt(attempts: readonly Attempt[], releaseId: number): readonly Attempt[] {
  return attempts.map((attempt) => {
    if (attempt.releaseId !== releaseId) return attempt;
    const receipts = attempt.receipts + 1;
    return { ...attempt, receipts, state: attempt.state === 'sent' ? 'received' : attempt.state };
  });
}

/** Somebody says that the device may be sent everything again. */
export function afterPardon(attempts: readonly Attempt[]): readonly Attempt[] {
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
