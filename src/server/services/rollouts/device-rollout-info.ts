import type { DeviceRolloutInfo } from '../../../api/rollout-info.ts';
import type { DeviceRecord, RolloutRecord } from '../../storage/records.ts';
import { isMember, isOnChannel, memberProgress } from './progress.ts';
import { stageOf } from './stage.ts';

/** Returns a device's state in a rollout of its project; undefined if the rollout does not apply to the device. */
export function deviceRolloutInfo(rollout: RolloutRecord, record: DeviceRecord): DeviceRolloutInfo | undefined {
  const isPinned = record.pin !== undefined;
  if (isPinned || !isOnChannel(record, rollout.channel)) return undefined;
  const { id, version, state, stages, openStages } = rollout;
  const stage = stageOf(rollout, record);
  const progress = memberProgress(rollout, record);
  return {
    rollout: id,
    version,
    state,
    stage: stage + 1,
    stages: stages.length,
    isOpen: state === 'active' && stage < openStages,
    counts: isMember(rollout, record),
    progress: progress.state,
    failure: progress.state === 'failed' ? progress.failure : undefined,
  };
}
