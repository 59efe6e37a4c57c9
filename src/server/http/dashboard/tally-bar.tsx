import type { RolloutState } from '../../../api/rollout.ts';
import type { RolloutTally } from '../../../api/rollout-info.ts';
import { countText } from '../../../core/model/quantity-text.ts';
import { ShareBar } from './share-bar.tsx';

/** Shows the progress of the devices in a rollout or stage, as a bar and in numbers. */
export function TallyBar({ tally, of, state }: { tally: RolloutTally; of: string; state: RolloutState }) {
  const parts = partsOf(tally, state).filter(({ count }) => count > 0);
  const text =
    tally.members === 0 ? 'no devices' : parts.map(({ count, label }) => `${countText(count)} ${label}`).join(', ');
  return (
    <>
      <ShareBar label={`${of}: ${text}`} parts={parts} total={tally.members} />
      <p class="tally">
        {parts.length === 0 ? 'No devices' : undefined}
        {parts.map(({ kind, count, label }) => (
          <span>
            <span class={`dot ${kind}`} aria-hidden="true" /> {countText(count)} {label}
          </span>
        ))}
      </p>
    </>
  );
}

function partsOf(tally: RolloutTally, state: RolloutState) {
  const { running, updating, failed, notConfirmed, undelivered, blocked, pending } = tally;
  const isToCome = state === 'active' || state === 'paused' || state === 'complete';
  return [
    { kind: 'up-to-date', count: running, label: 'updated' },
    { kind: 'updating', count: updating, label: 'updating' },
    {
      kind: 'failed',
      count: failed,
      label: notConfirmed === 0 ? 'failed' : `failed (${countText(notConfirmed)} not confirmed)`,
    },
    { kind: 'blocked', count: blocked, label: 'blocked' },
    { kind: 'unknown', count: undelivered, label: 'running it, not downloaded here' },
    { kind: 'unknown', count: pending, label: isToCome ? 'pending' : 'not updated' },
  ];
}
