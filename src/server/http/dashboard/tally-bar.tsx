import type { RolloutState } from '../../../api/rollout.ts';
import { type MemberStatus, memberStatusWords, type RolloutTally } from '../../../api/rollout-info.ts';
import { countText } from '../../../core/model/quantity-text.ts';
import { ShareBar } from './share-bar.tsx';

interface TallyBarProps {
  readonly tally: RolloutTally;
  readonly of: string;
  readonly state: RolloutState;
  /** Returns the path of the list of the devices with a status; undefined if the devices are not listed. */
  readonly listPath?: ((status: MemberStatus) => string) | undefined;
}

/** Shows the progress of the devices in a rollout or stage, as a bar and in numbers. */
export function TallyBar({ tally, of, state, listPath }: TallyBarProps) {
  const parts = partsOf(tally, state).filter(({ count }) => count > 0);
  const text =
    tally.members === 0 ? 'no devices' : parts.map(({ count, label }) => `${countText(count)} ${label}`).join(', ');
  return (
    <>
      <ShareBar label={`${of}: ${text}`} parts={parts} total={tally.members} />
      <p class="tally">
        {parts.length === 0 ? 'No devices' : undefined}
        {parts.map(({ kind, status, count, label }) => (
          <span>
            <span class={`dot ${kind}`} aria-hidden="true" />{' '}
            {listPath === undefined ? (
              `${countText(count)} ${label}`
            ) : (
              <a href={listPath(status)} aria-label={`${of}: ${countText(count)} ${label}`}>
                {countText(count)} {label}
              </a>
            )}
          </span>
        ))}
      </p>
    </>
  );
}

interface Part {
  readonly kind: string;
  readonly status: MemberStatus;
  readonly count: number;
  readonly label: string;
}

function partsOf(tally: RolloutTally, state: RolloutState): readonly Part[] {
  const { notConfirmed } = tally;
  const isToCome = state === 'active' || state === 'paused' || state === 'complete';
  const part = (status: MemberStatus, kind: string, label = memberStatusWords[status]): Part => {
    return { kind, status, count: tally[status], label };
  };
  return [
    part('running', 'up-to-date'),
    part('updating', 'updating'),
    part('failed', 'failed', notConfirmed === 0 ? undefined : `failed (${countText(notConfirmed)} not confirmed)`),
    part('blocked', 'blocked'),
    part('undelivered', 'unknown'),
    part('pending', 'unknown', isToCome ? undefined : 'not updated'),
  ];
}
