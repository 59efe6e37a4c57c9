/** How a rollout went on over time, as its picture has it. */
import test from 'ava';
import { withSample } from '../../../src/server/services/rollouts/samples.ts';
import type { RolloutRecord } from '../../../src/server/storage/records.ts';

const tally = { members: 100, waiting: 0, refused: 0, sent: 0, running: 0, failed: 0, vanished: 0 };
const start = 1_700_000_000_000;

/** A rollout that is looked at every second, of which the devices come one by one. */
function after(seconds: number, everySeconds: number): RolloutRecord {
  // Nothing else of a rollout matters here.
  let rollout = { samples: [], openStages: 1 } as unknown as RolloutRecord;
  for (let second = 0; second <= seconds; second++) {
    rollout = withSample(rollout, { ...tally, running: Math.floor(second / everySeconds) }, start + second * 1000);
  }
  return rollout;
}

test('a short rollout is seen by the second, and one of days keeps its shape in a bounded number', (t) => {
  t.is(after(20, 1).samples.length, 21);
  const { samples } = after(3 * 86_400, 60);
  t.true(samples.length > 60 && samples.length <= 240, `${samples.length}`);
  t.is(samples[0]?.at, start);
  t.deepEqual(
    samples.map(({ at }) => at),
    samples.map(({ at }) => at).toSorted((a, b) => a - b),
  );
});

test('what is no news is not remembered, and a stage that opens is at once', (t) => {
  const rollout = after(20, 1_000_000);
  t.is(rollout.samples.length, 1);
  t.is(withSample(rollout, tally, start + 60_000), rollout);
  const opened = withSample({ ...rollout, openStages: 2 }, tally, start + 100);
  t.is(opened.samples.at(-1)?.openStages, 2);
});
