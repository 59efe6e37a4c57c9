import type { RolloutInfo } from '../../../api/rollout-info.ts';
import { counted, countText } from '../../../core/model/quantity-text.ts';

const width = 1000;

type Stage = RolloutInfo['stages'][number];

/**
 * Draws the share of a stage's devices that run the release with the limit of the gate, and the share of failures with the limit that halts the
 * rollout. Each stage has its own scale: the full width is all devices of the stage, or twice the halt limit.
 */
export function StageLimits({
  stage: { tally },
  number,
  gate,
  halt,
}: { stage: Stage; number: number } & Pick<RolloutInfo, 'gate' | 'halt'>) {
  const able = Math.max(0, tally.members - tally.blocked);
  const finished = tally.running + tally.failed;
  const running = able === 0 ? 0 : (100 * tally.running) / able;
  const failed = finished === 0 ? 0 : (100 * tally.failed) / finished;
  const mostFailed = Math.min(100, 2 * halt.failurePercent);
  const texts = [
    `${countText(tally.running)} of ${countText(able)} updated (${Math.floor(running)}%), gate at ${gate.runningPercent}%`,
    `${countText(tally.failed)} of ${countText(finished)} finished failed (${failedText(failed)}), halt at ${halt.failurePercent}% or ${counted(halt.failures, 'device')}`,
  ];
  return (
    <figure class="limits">
      <svg
        viewBox={`0 0 ${width} 40`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Stage ${number}: ${texts.join('; ')}`}
      >
        <rect class="track" y="2" width={width} height="14" />
        <rect class="fill up-to-date" y="2" width={(width * running) / 100} height="14" />
        <rect class="limit" x={Math.min(width - 4, (width * gate.runningPercent) / 100)} width="4" height="18" />
        <rect class="track" y="24" width={width} height="14" />
        <rect class="fill failed" y="24" width={(width * Math.min(failed, mostFailed)) / mostFailed} height="14" />
        <rect
          class="limit"
          x={Math.min(width - 4, (width * halt.failurePercent) / mostFailed)}
          y="22"
          width="4"
          height="18"
        />
      </svg>
      <figcaption class="quiet">
        {texts.map((text) => (
          <span>{text}</span>
        ))}
      </figcaption>
    </figure>
  );
}

/** Rounds a share down: a share that has not reached the limit must not look as if it had. */
function failedText(percent: number): string {
  return percent > 0 && percent < 1 ? 'less than 1%' : `${Math.floor(percent)}%`;
}
