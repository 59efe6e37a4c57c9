import type { RolloutTally } from '../../../api/rollout-info.ts';
import type { RolloutRecord, RolloutSample } from '../../storage/records.ts';

/**
 * Minimum time between samples. For a long rollout, one hundredth of its duration applies instead: a chart that covers an hour does not
 * need one-second resolution.
 */
const everyMs = 1000;
const partsOfIt = 100;
/** Maximum number of samples per chart. Beyond this number, every second sample is dropped. */
const mostSamples = 240;

/**
 * Adds a progress sample if the progress has changed.
 *
 * @returns the same object if no sample was added
 */
export function withSample(
  rollout: RolloutRecord,
  { updating, running, failed }: RolloutTally,
  at: number,
): RolloutRecord {
  const { samples, openStages } = rollout;
  const last = samples.at(-1);
  const next: RolloutSample = { at, updating, running, failed, openStages };
  const apartMs = Math.max(everyMs, (at - (samples[0]?.at ?? at)) / partsOfIt);
  const isNews =
    last === undefined ||
    last.openStages !== openStages ||
    (at - last.at >= apartMs && (last.updating !== updating || last.running !== running || last.failed !== failed));
  return isNews ? { ...rollout, samples: thinned([...samples, next]) } : rollout;
}

function thinned(samples: readonly RolloutSample[]): readonly RolloutSample[] {
  if (samples.length <= mostSamples) return samples;
  const isKept = (index: number) => index % 2 === 0 || index === samples.length - 1;
  return samples.filter((_, index) => isKept(index));
}
