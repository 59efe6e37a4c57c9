import type { RolloutState } from '../../../api/rollout.ts';
import type { RolloutInfo } from '../../../api/rollout-info.ts';
import { stateWords } from './rollout-words.ts';
import { When } from './when.tsx';

export function RolloutBadge({ state }: { state: RolloutState }) {
  const { kind, sign, label } = stateWords[state];
  return (
    <span class={`badge ${kind}`}>
      <span aria-hidden="true">{sign}</span> {label}
    </span>
  );
}

/** Shows since when and why a rollout does not progress. */
export function Stalled({ stalled }: Pick<RolloutInfo, 'stalled'>) {
  if (stalled === undefined) return undefined;
  return (
    <p class="problem">
      <strong>Stalled</strong> since <When at={stalled.since} exact />: {stalled.cause}.
    </p>
  );
}
