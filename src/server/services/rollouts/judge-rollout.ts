import type { RolloutTally } from '../../../api/rollout-info.ts';
import type { RolloutRecord } from '../../storage/records.ts';

/** Result of judging a rollout. */
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
  /** Number of devices in the open stages that have been running the release for the gate's soak time. */
  readonly soaked: number;
}

/** Judges an active rollout. Pure function of the counts. */
export function judgeRollout(rollout: RolloutRecord, evidence: Evidence): RolloutVerdict {
  const reason = haltReason(rollout, evidence.all);
  if (reason !== undefined) return { kind: 'halt', reason };
  const isLast = rollout.openStages >= rollout.stages.length;
  const waitingFor = gateReason(rollout, evidence, isLast);
  if (waitingFor !== undefined) return { kind: 'wait', waitingFor };
  return { kind: isLast ? 'complete' : 'open-next' };
}

/** Returns why the rollout must halt, or undefined if it may continue. Accepted failures are not counted. */
function haltReason({ halt, accepted, version }: RolloutRecord, tally: RolloutTally): string | undefined {
  const notConfirmed = tally.notConfirmed - accepted.notConfirmed;
  if (notConfirmed >= halt.notConfirmed) {
    return `${devices(notConfirmed)} did not confirm ${version} (limit: ${halt.notConfirmed})`;
  }
  const failed = tally.failed - accepted.failed;
  if (failed >= halt.failures) return `${devices(failed)} failed to update to ${version} (limit: ${halt.failures})`;
  const ended = failed + tally.running;
  if (failed > 0 && ended >= halt.minimumSample && failed * 100 >= halt.failurePercent * ended) {
    return `${failed} of ${devices(ended)} failed to update to ${version} (limit: ${halt.failurePercent}%)`;
  }
  return undefined;
}

function gateReason(
  { gate, openStages, stages, accepted, version }: RolloutRecord,
  { open, soaked }: Evidence,
  isLast: boolean,
): string | undefined {
  // Devices with accepted failures do not count as reachable, so they do not keep the next stage closed.
  const reachable = open.members - open.blocked - Math.min(open.failed, accepted.failed);
  // An empty stage proves nothing and is skipped. The last stage opens only after at least one device has proved the release.
  if (reachable <= 0 && !isLast) {
    const isLastButOne = openStages + 1 >= stages.length;
    return isLastButOne ? 'an enrolled device in the stages before the last' : undefined;
  }
  const needed = Math.max(1, Math.ceil((reachable * gate.runningPercent) / 100));
  if (soaked >= needed) return undefined;
  if (open.running >= needed)
    return `${devices(needed)} to run ${version} for ${duration(gate.soakMs)} (${soaked} so far)`;
  return `${needed} of ${devices(reachable)} to run ${version} (${open.running} so far)`;
}

function devices(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`;
}

function duration(ms: number): string {
  if (ms < 120_000) return `${ms / 1000} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
