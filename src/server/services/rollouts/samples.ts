import type { RolloutTally } from '../../../api/rollout-info.ts';
import type { RolloutRecord, RolloutSample } from '../../storage/records.ts';

/** No more often than this, and than a hundredth of the time that it has taken so far: a picture of an hour needs no seconds. */
const everyMs = 1000;
const partsOfIt = 100;
/** A picture needs no more; when there are more, every other one of the older ones goes. */
const mostSamples = 240;

/**
 * Remembers how far the devices have come, when that is news.
 *
 * @returns the same object when it is none
 */
export function withSample(rollout: RolloutRecord, { sent, running, failed }: RolloutTally, at: number): RolloutRecord {
  const { samples, openStages } = rollout;
  const last = samples.at(-1);
  const next: RolloutSample = { at, sent, running, failed, openStages };
  const apartMs = Math.max(everyMs, (at - (samples[0]?.at ?? at)) / partsOfIt);
  const isNews =
    last === undefined ||
    last.openStages !== openStages ||
    (at - last.at >= apartMs && (last.sent !== sent || last.running !== running || last.failed !== failed));
  return isNews ? { ...rollout, samples: thinned([...samples, next]) } : rollout;
}

function thinned(samples: readonly RolloutSample[]): readonly RolloutSample[] {
  if (samples.length <= mostSamples) return samples;
  const isKept = (index: number) => index % 2 === 0 || index === samples.length - 1;
  return samples.filter((_, index) => isKept(index));
}
