import type { RolloutTally } from '../../../api/rollout-info.ts';
import type { RolloutRecord } from '../../storage/records.ts';

/** What a rollout has come to. */
export type Verdict =
  | { readonly kind: 'halt'; readonly reason: string }
  | { readonly kind: 'open-next' | 'complete' }
  /** For people: what has to happen first. */
  | { readonly kind: 'wait'; readonly waitingFor: string };

/** What a verdict depends on. */
export interface Evidence {
  /** Of all stages: a failure counts wherever it is. */
  readonly all: RolloutTally;
  /** Of the open stages together. */
  readonly open: RolloutTally;
  /** Devices of the open stages that have run the release for as long as the gate wants. */
  readonly soaked: number;
}

/** Judges an active rollout. A pure function of what was counted. */
export function judgeRollout(rollout: RolloutRecord, evidence: Evidence): Verdict {
  const reason = haltReason(rollout, evidence.all);
  if (reason !== undefined) return { kind: 'halt', reason };
  const isLast = rollout.openStages >= rollout.stages.length;
  const waitingFor = gateReason(rollout, evidence, isLast);
  if (waitingFor !== undefined) return { kind: 'wait', waitingFor };
  return { kind: isLast ? 'complete' : 'open-next' };
}

/** Why nobody else may get it; undefined: no rule says so. Failures that somebody has accepted are left out. */
function haltReason({ halt, accepted, version }: RolloutRecord, tally: RolloutTally): string | undefined {
  const vanished = tally.vanished - accepted.vanished;
  if (vanished >= halt.vanished) {
    return `${devices(vanished)} took ${version} and ${vanished === 1 ? 'was' : 'were'} not heard of again (the limit is ${halt.vanished})`;
  }
  const failed = tally.failed - accepted.failed;
  if (failed >= halt.failures)
    return `${devices(failed)} failed to come back with ${version} (the limit is ${halt.failures})`;
  const ended = failed + tally.running;
  if (failed > 0 && ended >= halt.minimumSample && failed * 100 >= halt.failurePercent * ended) {
    return `${failed} of ${devices(ended)} failed to come back with ${version} (the limit is ${halt.failurePercent} %)`;
  }
  return undefined;
}

function gateReason(
  { gate, openStages, stages, accepted }: RolloutRecord,
  { open, soaked }: Evidence,
  isLast: boolean,
): string | undefined {
  // Nobody waits for what somebody has given up: failures that were accepted do not keep the next stage closed either.
  const inReach = open.members - open.refused - Math.min(open.failed, accepted.failed);
  // A stage without a device proves nothing, and need not be waited for; but nobody else follows before somebody has proved something.
  if (inReach <= 0 && !isLast) {
    const isLastButOne = openStages + 1 >= stages.length;
    return isLastButOne ? 'an enrolled device that runs it: there is none in the stages before the last' : undefined;
  }
  const needed = Math.max(1, Math.ceil((inReach * gate.runningPercent) / 100));
  if (soaked >= needed) return undefined;
  if (open.running >= needed) return `${devices(needed)} to run it for ${duration(gate.soakMs)}; ${soaked} have`;
  return `${needed} of ${devices(inReach)} to run it; ${open.running} do`;
}

function devices(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`;
}

function duration(ms: number): string {
  if (ms < 120_000) return `${ms / 1000} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
