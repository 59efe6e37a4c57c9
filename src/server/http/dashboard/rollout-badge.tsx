import type { RolloutState } from '../../../api/rollout.ts';
import { stateWords } from './rollout-words.ts';

export function RolloutBadge({ state }: { state: RolloutState }) {
  const { kind, sign, label } = stateWords[state];
  return (
    <span class={`badge ${kind}`}>
      <span aria-hidden="true">{sign}</span> {label}
    </span>
  );
}
