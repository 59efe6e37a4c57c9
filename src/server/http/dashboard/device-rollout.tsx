import type { RolloutStanding } from '../../../api/rollout-info.ts';
import { projectPath } from './paths.ts';
import { RolloutBadge } from './rollout-badge.tsx';

const progressWords = {
  waiting: 'has not been sent it yet',
  refused: 'cannot take it safely',
  sent: 'was sent it',
  running: 'runs it',
  failed: 'failed with it',
} as const;

/** Where a device stands in the rollout of its channel. */
export function DeviceRollout({ project, standing }: { project: string; standing: RolloutStanding | undefined }) {
  if (standing === undefined) return <p class="quiet">It is in none.</p>;
  const { rollout, version, state, stage, stages, isOpen, counts, progress } = standing;
  return (
    <p>
      <a href={projectPath(project, 'rollouts', rollout)}>{version}</a> <RolloutBadge state={state} />{' '}
      {`stage ${stage} of ${stages}${isOpen || state !== 'active' ? '' : ', which is not open yet'}; ${progressWords[progress]}. `}
      {counts ? undefined : 'It is not enrolled: the rollout does not wait for it, and is not halted by it.'}
    </p>
  );
}
