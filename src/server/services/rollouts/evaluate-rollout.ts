import type { RolloutTally } from '../../../api/rollout-info.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import type { RolloutRecord } from '../../storage/records.ts';

/** Result of evaluating a rollout. */
export type RolloutVerdict =
  | { readonly kind: 'halt'; readonly reason: string }
  | { readonly kind: 'open-next' | 'complete' }
  /** Condition that is not yet met, for display. */
  | { readonly kind: 'wait'; readonly waitingFor: string };

/** Counts that determine a verdict. */
export interface Evidence {
  /** Tally across all stages, because failures in every stage count. */
  readonly all: RolloutTally;
  /** Combined tally for the open stages. */
  readonly open: RolloutTally;
  /** Tally for the stage that was opened last. */
  readonly newest: RolloutTally;
  /** Number of devices in the open stages that have been running the release for the gate's soak time. */
  readonly soaked: number;
  readonly soakedInNewest: number;
  /** Number of addresses from which failed devices downloaded the release without credentials; used only in the reason for a halt. */
  readonly unprovenAddresses: number;
}

/** Evaluates an active rollout. Pure function of the counts. */
export function evaluateRollout(rollout: RolloutRecord, evidence: Evidence): RolloutVerdict {
  const reason = haltReason(rollout, evidence);
  if (reason !== undefined) return { kind: 'halt', reason };
  const isLast = rollout.openStages >= rollout.stages.length;
  const waitingFor = gateReason(rollout, evidence, isLast) ?? stageReason(rollout, evidence, isLast);
  if (waitingFor !== undefined) return { kind: 'wait', waitingFor };
  return { kind: isLast ? 'complete' : 'open-next' };
}

/** Failures that are not accepted yet, and the updated devices that they are compared to. */
interface Failures {
  readonly failed: number;
  readonly notConfirmed: number;
  readonly running: number;
}

/** Returns why the rollout must halt, or undefined if it may continue. Accepted failures are not counted. */
function haltReason(rollout: RolloutRecord, { all, unprovenAddresses }: Evidence): string | undefined {
  const proven = provenFailures(rollout, all);
  const found = exceededLimit(rollout, proven);
  if (found !== undefined) return found;
  const unproven = unprovenFailures(rollout, all);
  const weight = unprovenWeight(rollout);
  const weighed = {
    failed: proven.failed + unproven.failed * weight,
    notConfirmed: proven.notConfirmed + unproven.notConfirmed * weight,
    running: all.running,
  };
  const reason = exceededLimit(rollout, weighed, sumOfFailures(proven, unproven));
  return reason && `${reason}; ${provenanceText(proven, unproven, unprovenAddresses)}`;
}

/** Returns whether only failures reported without credentials halt the rollout. */
export function isHaltedByUnproven(rollout: RolloutRecord, tally: RolloutTally): boolean {
  const { failed } = unprovenFailures(rollout, tally);
  return failed > 0 && exceededLimit(rollout, provenFailures(rollout, tally)) === undefined;
}

/**
 * Unproven failures halt a rollout twice at the full weight. After that, each resumption halves their weight, so that forged reports can
 * halt it only a few times, but a release that fails on all devices still halts the rollout.
 */
function unprovenWeight({ unprovenResumes }: RolloutRecord): number {
  return 0.5 ** Math.max(0, unprovenResumes - 1);
}

function provenFailures({ accepted }: RolloutRecord, tally: RolloutTally): Failures {
  return {
    failed: tally.failed - tally.unprovenFailed - (accepted.failed - accepted.unprovenFailed),
    notConfirmed:
      tally.notConfirmed - tally.unprovenNotConfirmed - (accepted.notConfirmed - accepted.unprovenNotConfirmed),
    running: tally.running - tally.unproven,
  };
}

function unprovenFailures({ accepted }: RolloutRecord, tally: RolloutTally): Failures {
  return {
    failed: tally.unprovenFailed - accepted.unprovenFailed,
    notConfirmed: tally.unprovenNotConfirmed - accepted.unprovenNotConfirmed,
    running: tally.unproven,
  };
}

function sumOfFailures(a: Failures, b: Failures): Failures {
  return {
    failed: a.failed + b.failed,
    notConfirmed: a.notConfirmed + b.notConfirmed,
    running: a.running + b.running,
  };
}

/**
 * Returns the exceeded limit, or undefined if there is none.
 *
 * @param counts counts for the text, if the failures are weighed
 */
function exceededLimit({ halt, version }: RolloutRecord, weighed: Failures, counts = weighed): string | undefined {
  const { failed, notConfirmed, running } = weighed;
  if (notConfirmed >= halt.notConfirmed) {
    return `${devices(counts.notConfirmed)} did not confirm ${version} (limit: ${halt.notConfirmed})`;
  }
  if (failed >= halt.failures) {
    return `${devices(counts.failed)} failed to update to ${version} (limit: ${halt.failures})`;
  }
  const ended = failed + running;
  if (failed > 0 && ended >= halt.minimumSample && failed * 100 >= halt.failurePercent * ended) {
    return `${counts.failed} of ${devices(counts.failed + counts.running)} failed to update to ${version} (limit: ${halt.failurePercent}%)`;
  }
  return undefined;
}

function provenanceText(proven: Failures, unproven: Failures, addresses: number): string {
  if (proven.failed > 0) return `${unproven.failed} of ${proven.failed + unproven.failed} reports unproven`;
  // The reason is sent to webhooks and kept for ever, so it does not contain the addresses.
  return `all reports from ${counted(addresses, 'address', 'addresses')}, unproven`;
}

function gateReason(
  { gate, openStages, stages, accepted, version }: RolloutRecord,
  { open, soaked }: Evidence,
  isLast: boolean,
): string | undefined {
  // Devices with accepted failures do not count as reachable, so they do not keep the next stage closed.
  const reachable = open.members - open.blocked - open.undelivered - Math.min(open.failed, accepted.failed);
  // Otherwise, reports that anyone can send would make a stage look empty, and the rollout would skip the stage.
  if (reachable <= 0 && leftOut(open) > 0) {
    return `a device in the open stages to download ${version} (${leftOutText(open)}): ${adviceText(isLast)}`;
  }
  // An empty stage proves nothing and is skipped. The last stage opens only after at least one device has proved the release.
  if (reachable <= 0 && !isLast) {
    const isLastButOne = openStages + 1 >= stages.length;
    return isLastButOne ? `an enrolled device in the stages before the last that can take ${version}` : undefined;
  }
  if (reachable <= 0) return `an enrolled device that can take ${version}`;
  const needed = Math.max(1, Math.ceil((reachable * gate.runningPercent) / 100));
  if (soaked >= needed) return undefined;
  if (open.running >= needed)
    return `${devices(needed)} to run ${version} for ${duration(gate.soakMs)} (${soaked} so far)`;
  return `${needed} of ${devices(reachable)} to run ${version} (${open.running} so far)`;
}

/**
 * Requires that devices of the newest stage prove the release, because results of earlier stages do not apply to these devices. Reports
 * without credentials cannot leave out more devices than prove the release: otherwise, a forger could reduce a stage to a few devices, or
 * to none.
 */
function stageReason(
  { openStages, accepted, version }: RolloutRecord,
  { newest, soakedInNewest }: Evidence,
  isLast: boolean,
): string | undefined {
  const count = leftOut(newest);
  const provenBlocked = newest.blocked - newest.unprovenBlocked;
  if (newest.members - provenBlocked - Math.min(newest.failed, accepted.failed) <= 0) return undefined;
  const needed = Math.max(1, count);
  if (soakedInNewest >= needed) return undefined;
  const waiting = `${devices(needed)} in stage ${openStages} to run ${version} (${soakedInNewest} so far)`;
  return count === 0 ? waiting : `${waiting}, as many as are left out: ${leftOutText(newest)}; ${adviceText(isLast)}`;
}

/** Counts the devices for which gates do not wait because of reports without credentials. */
function leftOut({ undelivered, unprovenBlocked }: RolloutTally): number {
  return undelivered + unprovenBlocked;
}

function leftOutText({ undelivered, unprovenBlocked }: RolloutTally): string {
  const undeliveredText = undelivered > 0 ? [`${undelivered} run it, not downloaded here`] : [];
  const blockedText = unprovenBlocked > 0 ? [`${unprovenBlocked} blocked, reported without credentials`] : [];
  return [...undeliveredText, ...blockedText].join(', ');
}

function adviceText(isLast: boolean): string {
  return isLast ? 'check them, then remove their enrollment' : 'check them, then advance or remove their enrollment';
}

function devices(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`;
}

function duration(ms: number): string {
  if (ms < 120_000) return `${ms / 1000} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
