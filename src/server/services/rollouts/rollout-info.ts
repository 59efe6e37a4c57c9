import type { RolloutInfo, RolloutTally } from '../../../api/rollout-info.ts';
import type { RolloutRecord } from '../../storage/records.ts';
import type { RolloutVerdict } from './evaluate-rollout.ts';
import { noTally, sumOf } from './tally.ts';
import { isWindowOpen } from './window.ts';

/** Facts about a rollout that are not in its record. */
interface RolloutContext extends Pick<RolloutInfo, 'previous' | 'unproven' | 'projectPassword' | 'hasDeviceLists'> {
  /** Tally of each stage; undefined if it is no longer available. */
  readonly tallies: readonly (RolloutTally | undefined)[];
  /** Verdict on an active rollout. */
  readonly verdict: RolloutVerdict | undefined;
  /** Current time in milliseconds since 1970. */
  readonly wallMs: number;
}

/** Converts a rollout to its API representation. */
export function rolloutInfo(
  rollout: RolloutRecord,
  { tallies, verdict, previous, unproven, projectPassword, hasDeviceLists, wallMs }: RolloutContext,
): RolloutInfo {
  const { id, project, channel, version, state, reason, openStages, gate, halt, window, perHour, startedBy } = rollout;
  const stages = rollout.stages.map((stage, index) => ({ ...stage, tally: tallies[index] ?? noTally() }));
  return {
    id,
    project,
    channel,
    version,
    previous,
    state,
    reason,
    openStages,
    stalled: rollout.stalled && { since: iso(rollout.stalled.at), cause: rollout.stalled.cause },
    waitingFor: verdict?.kind === 'wait' ? verdict.waitingFor : undefined,
    stages,
    tally: sumOf(stages.map(({ tally }) => tally)),
    hasDeviceLists,
    unproven,
    projectPassword,
    gate,
    halt,
    window,
    isWindowOpen: isWindowOpen(window, wallMs),
    perHour,
    startedAt: iso(rollout.startedAt),
    startedBy,
    endedAt: rollout.endedAt === undefined ? undefined : iso(rollout.endedAt),
    finalAt: rollout.result === undefined ? undefined : iso(rollout.result.at),
    history: rollout.history.map(({ at, ...event }) => ({ at: iso(at), ...event })),
    samples: rollout.samples.map(({ at, ...sample }) => ({ at: iso(at), ...sample })),
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
