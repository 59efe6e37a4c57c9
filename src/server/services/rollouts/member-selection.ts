import type { MemberSelectionName } from '../../../api/rollout-info.ts';
import type { RolloutRecord } from '../../storage/records.ts';
import type { MemberFilter, RolloutCount, Store } from '../../storage/store.ts';
import { isUnderWay } from './step.ts';
import { countOf, isSelected } from './tally.ts';

/** Devices of a rollout, by stage and status. */
export interface MemberSelection {
  /** Number of the stage. The first stage is 1. Undefined for all stages. */
  readonly stage?: number | undefined;
  /** Undefined for all devices. */
  readonly status?: MemberSelectionName | undefined;
}

/** Selected devices of a rollout: their number, and the filter that lists them. Both follow from the same kept counts. */
export interface SelectedMembers {
  readonly rollout: RolloutRecord;
  readonly total: number;
  readonly filter: MemberFilter;
}

/** @param counts current counts; a rollout with final numbers has its own */
export function selectMembers(
  rollout: RolloutRecord,
  counts: readonly RolloutCount[],
  { stage, status }: MemberSelection,
): SelectedMembers {
  const { id, openStages, result } = rollout;
  const parts = (result?.counts ?? counts).filter((count) => {
    if (stage !== undefined && count.stage !== stage - 1) return false;
    if (status === 'waiting') return count.stage < openStages && !isSelected(count.kind, 'running');
    return status === undefined || isSelected(count.kind, status);
  });
  const pairs = parts.map((part) => ({ stage: part.stage, kind: part.kind }));
  const isFinal = result !== undefined;
  return { rollout, total: countOf(parts), filter: { rollout: id, parts: pairs, isFinal } };
}

/** Returns whether the devices of a rollout can be listed: those of a rollout in progress, and those that were stored when it ended. */
export async function hasDeviceLists({ rollouts }: Pick<Store, 'rollouts'>, rollout: RolloutRecord): Promise<boolean> {
  if (isUnderWay(rollout)) return true;
  return rollout.result?.counts !== undefined && (await rollouts.hasFinalMembers(rollout.id));
}
