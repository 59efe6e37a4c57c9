import type { RolloutTally, UnprovenReports } from '../../../api/rollout-info.ts';
import type { RolloutRecord } from '../../storage/records.ts';
import type { RolloutCount } from '../../storage/store.ts';
import { isUnderWay } from './step.ts';
import { countOf, isSelected, noTally, talliesOf } from './tally.ts';

/** Returns whether the final numbers of a rollout are still to be stored. They are stored once, when it ends for the first time. */
export function lacksResult(rollout: RolloutRecord): boolean {
  return !isUnderWay(rollout) && rollout.isCounted && rollout.result === undefined;
}

/**
 * Returns a rollout with its final numbers. The addresses of reports are not kept, only their number.
 *
 * @param counts counts of the devices that are stored
 */
export function withResult(
  rollout: RolloutRecord,
  counts: readonly RolloutCount[],
  { at, unproven }: { readonly at: number; readonly unproven: UnprovenReports | undefined },
): RolloutRecord {
  const devices = countOf(counts.filter(({ kind }) => isSelected(kind, 'unproven')));
  // The addresses were counted a moment before the devices.
  const reports = devices === 0 ? undefined : { devices, addresses: unproven?.addresses ?? 1 };
  return { ...rollout, result: { at, tallies: talliesOf(rollout, counts), unproven: reports, counts } };
}

/** Returns the tally of each stage: the final numbers of a rollout that has ended, otherwise the numbers that the counts give now. */
export function finalOrCurrent(rollout: RolloutRecord, counts: readonly RolloutCount[]): readonly RolloutTally[] {
  return rollout.result?.tallies.map((tally) => ({ ...noTally(), ...tally })) ?? talliesOf(rollout, counts);
}
