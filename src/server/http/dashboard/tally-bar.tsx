import type { RolloutState } from '../../../api/rollout.ts';
import { type MemberStatus, memberStatusWords, type RolloutTally } from '../../../api/rollout-info.ts';
import { countText } from '../../../core/model/quantity-text.ts';
import { CountLink } from './count-link.tsx';
import type { ListPath } from './fleet-filter.ts';
import { ShareBar } from './share-bar.tsx';

interface TallyBarProps {
  readonly tally: RolloutTally;
  readonly of: string;
  readonly state: RolloutState;
  /** Undefined if the devices cannot be listed. */
  readonly listPath?: ListPath | undefined;
}

/** Shows the progress of the devices in a rollout or stage, as a bar and in numbers. */
export function TallyBar({ tally, of, state, listPath }: TallyBarProps) {
  const parts = partsOf(tally, state).filter(({ count }) => count > 0);
  const text =
    tally.members === 0
      ? 'no devices'
      : parts
          .map(
            ({ count, label, detail }) => `${countText(count)} ${label}${detail === undefined ? '' : ` (${detail})`}`,
          )
          .join(', ');
  return (
    <>
      <ShareBar label={`${of}: ${text}`} parts={parts} total={tally.members} />
      <p class="tally">
        {parts.length === 0 ? 'No devices' : undefined}
        {parts.map(({ kind, status, count, label, detail }) => (
          <span>
            <span class={`dot ${kind}`} aria-hidden="true" />{' '}
            <CountLink of={of} text={`${countText(count)} ${label}`} path={listPath?.(status)} />
            {detail === undefined ? undefined : (
              <>
                {' ('}
                <CountLink of={of} text={detail} path={listPath?.('not-confirmed')} />)
              </>
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
  /** Number of the devices in a part of this part. */
  readonly detail?: string | undefined;
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
    {
      ...part('failed', 'failed'),
      detail: notConfirmed === 0 ? undefined : `${countText(notConfirmed)} not confirmed`,
    },
    part('blocked', 'blocked'),
    part('undelivered', 'unknown'),
    part('pending', 'unknown', isToCome ? undefined : 'not updated'),
  ];
}
