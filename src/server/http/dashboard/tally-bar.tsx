import type { RolloutState } from '../../../api/rollout.ts';
import type { RolloutTally } from '../../../api/rollout-info.ts';
import { ShareBar } from './share-bar.tsx';
import { countText } from './words.tsx';

/** How far the devices of a rollout or of a stage have come: a bar, and the same in numbers. */
export function TallyBar({ tally, of, state }: { tally: RolloutTally; of: string; state: RolloutState }) {
  const parts = partsOf(tally, state).filter(({ count }) => count > 0);
  const text =
    tally.members === 0 ? 'no devices' : parts.map(({ count, label }) => `${countText(count)} ${label}`).join(', ');
  return (
    <>
      <ShareBar label={`${of}: ${text}`} parts={parts} total={tally.members} />
      <p class="tally">
        {parts.length === 0 ? 'no devices' : undefined}
        {parts.map(({ kind, count, label }) => (
          <span>
            <span class={`dot ${kind}`} aria-hidden="true" /> {countText(count)} {label}
          </span>
        ))}
      </p>
    </>
  );
}

function partsOf({ running, sent, failed, vanished, refused, waiting }: RolloutTally, state: RolloutState) {
  const isToCome = state === 'active' || state === 'paused' || state === 'complete';
  const toCome = waiting === 1 ? 'has its turn to come' : 'have their turn to come';
  return [
    { kind: 'current', count: running, label: running === 1 ? 'runs it' : 'run it' },
    { kind: 'waiting', count: sent, label: sent === 1 ? 'was sent it' : 'were sent it' },
    { kind: 'failed', count: failed, label: vanished === 0 ? 'failed' : `failed (${vanished} vanished)` },
    { kind: 'refused', count: refused, label: 'cannot take it safely' },
    { kind: 'unseen', count: waiting, label: isToCome ? toCome : 'did not get it' },
  ];
}
