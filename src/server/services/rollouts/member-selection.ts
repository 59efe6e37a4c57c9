import type { memberSelections } from '../../../api/rollout-info.ts';
import type { RolloutRecord } from '../../storage/records.ts';
import type { MemberFilter, RolloutCount } from '../../storage/store.ts';
import { stateOfKind } from './tally.ts';

/** Devices of a rollout, by stage and status. */
export interface MemberSelection {
  /** Number of the stage. The first stage is 1. Undefined for all stages. */
  readonly stage?: number | undefined;
  /** Undefined for all devices. */
  readonly status?: (typeof memberSelections)[number] | undefined;
}

/** Selected devices of a rollout: their number, and the filter that lists them. Both follow from the same kept counts. */
export interface SelectedMembers {
  readonly rollout: RolloutRecord;
  readonly total: number;
  readonly filter: MemberFilter;
}

export function selectMembers(
  rollout: RolloutRecord,
  counts: readonly RolloutCount[],
  { stage, status }: MemberSelection,
): SelectedMembers {
  const { id, openStages } = rollout;
  const parts = counts.filter((count) => {
    if (stage !== undefined && count.stage !== stage - 1) return false;
    const state = stateOfKind(count.kind);
    if (status === 'waiting') return count.stage < openStages && state !== 'running';
    return status === undefined || state === status;
  });
  const total = parts.reduce((sum, { devices }) => sum + devices, 0);
  const pairs = parts.map((part) => ({ stage: part.stage, kind: part.kind }));
  return { rollout, total, filter: { rollout: id, parts: pairs } };
}
