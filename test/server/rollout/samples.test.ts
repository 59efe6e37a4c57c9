/** Rollout progress samples, shown in the rollout chart. */
import test from 'ava';
import { withSample } from '../../../src/server/services/rollouts/samples.ts';
import { noTally } from '../../../src/server/services/rollouts/tally.ts';
import type { RolloutRecord } from '../../../src/server/storage/records.ts';

const tally = { ...noTally(), members: 100 };
const start = 1_700_000_000_000;

/** Rollout that is sampled every second. One device is updated every `everySeconds` seconds. */
function after(seconds: number, everySeconds: number): RolloutRecord {
  // Sampling does not read any other field of a rollout.
  let rollout = { samples: [], openStages: 1 } as unknown as RolloutRecord;
  for (let second = 0; second <= seconds; second++) {
    rollout = withSample(rollout, { ...tally, running: Math.floor(second / everySeconds) }, start + second * 1000);
  }
  return rollout;
}

test('samples a short rollout every second, and stores at most 240 samples for a long rollout', (t) => {
  t.is(after(20, 1).samples.length, 21);
  const { samples } = after(3 * 86_400, 60);
  t.true(samples.length > 60 && samples.length <= 240, `${samples.length}`);
  t.is(samples[0]?.at, start);
  t.deepEqual(
    samples.map(({ at }) => at),
    samples.map(({ at }) => at).toSorted((a, b) => a - b),
  );
});

test('adds no sample while nothing changes, and adds a sample immediately when a stage opens', (t) => {
  const rollout = after(20, 1_000_000);
  t.is(rollout.samples.length, 1);
  t.is(withSample(rollout, tally, start + 60_000), rollout);
  const opened = withSample({ ...rollout, openStages: 2 }, tally, start + 100);
  t.is(opened.samples.at(-1)?.openStages, 2);
});
