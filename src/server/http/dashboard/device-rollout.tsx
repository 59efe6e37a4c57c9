import { type DeviceRolloutInfo, memberStatusWords } from '../../../api/rollout-info.ts';
import { Version } from './identifiers.tsx';
import { projectPath } from './paths.ts';
import { RolloutBadge } from './rollout-badge.tsx';

/** Shows a device's progress in the rollout on its channel. */
export function DeviceRollout({ project, info }: { project: string; info: DeviceRolloutInfo | undefined }) {
  if (info === undefined) return <p class="quiet">Not in a rollout.</p>;
  const { rollout, version, state, stage, stages, isOpen, counts, progress } = info;
  return (
    <p>
      <a href={projectPath(project, 'rollouts', rollout)}>
        <Version version={version} />
      </a>{' '}
      <RolloutBadge state={state} />{' '}
      {`Stage ${stage} of ${stages}${isOpen || state !== 'active' ? '' : ' (not open yet)'}: ${memberStatusWords[progress]}. `}
      {counts ? undefined : 'The device is not enrolled, so gates and halt rules do not count it.'}
    </p>
  );
}
