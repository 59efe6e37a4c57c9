import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { runFleet } from '../../src/delivery/fleet.ts';
import { FleetState } from '../../src/delivery/fleet-state.ts';
import { testFolder } from '../support/test-folder.ts';

const never = new AbortController().signal;

test('runs each job once within the concurrency limit, canaries first', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.nat(20), fc.integer({ min: 1, max: 8 }), fc.nat(5), async (count, concurrency, canaries) => {
      let running = 0;
      const begun: number[] = [];
      const { results, notStarted } = await runFleet({
        jobs: Array.from({ length: count }, (_, index) => index),
        concurrency,
        canaries,
        run: async (job) => {
          begun.push(job);
          t.true(++running <= concurrency);
          await turn();
          if (job >= canaries) t.true(results_before(begun, canaries, count));
          running -= 1;
          return job;
        },
        isSuccess: () => true,
        signal: never,
      });
      t.is(results.size, count);
      t.deepEqual(notStarted, []);
    }),
    { numRuns: 50 },
  );
});

function results_before(begun: readonly number[], canaries: number, count: number): boolean {
  return begun.slice(0, Math.min(canaries, count)).every((job) => job < canaries);
}

test('runs all canaries but no other jobs after a canary fails', async (t) => {
  const { results, notStarted } = await runFleet({
    jobs: ['sick', 'well', 'third', 'fourth'],
    concurrency: 1,
    canaries: 2,
    run: async (job) => job !== 'sick',
    isSuccess: (isWell) => isWell,
    signal: never,
  });
  t.deepEqual(
    [...results],
    [
      ['sick', false],
      ['well', true],
    ],
  );
  t.deepEqual(notStarted, ['third', 'fourth']);
});

test('throws the error of a failed job only after the running jobs have ended', async (t) => {
  const ended: number[] = [];
  const run = runFleet({
    jobs: [0, 1, 2],
    concurrency: 3,
    canaries: 0,
    run: async (job) => {
      if (job === 0) throw new Error('a bug');
      await turn();
      ended.push(job);
    },
    isSuccess: () => true,
    signal: never,
  });
  await t.throwsAsync(run, { message: 'a bug' });
  t.deepEqual(ended, [1, 2]);
});

test('starts no further jobs after an abort', async (t) => {
  const abort = new AbortController();
  const begun: number[] = [];
  const run = runFleet({
    jobs: [0, 1, 2],
    concurrency: 1,
    canaries: 0,
    run: async (job) => {
      begun.push(job);
      abort.abort(new Error('enough'));
    },
    isSuccess: () => true,
    signal: abort.signal,
  });
  await t.throwsAsync(run, { message: 'enough' });
  t.deepEqual(begun, [0]);
});

test('resumes a run only for the same image and ignores a damaged state file', async (t) => {
  const folder = await testFolder(t);
  const [one, other] = ['1'.repeat(64), '2'.repeat(64)];
  const first = await FleetState.open(folder.path, one, false);
  await Promise.all([first.note('kitchen', 'updated'), first.note('cellar', 'failed'), first.note('attic', 'updated')]);
  const isUpdated = async (image: string, resume: boolean) => {
    const state = await FleetState.open(folder.path, image, resume);
    return ['kitchen', 'cellar', 'attic', '__proto__'].filter((name) => state.isUpdated(name));
  };
  t.deepEqual(await isUpdated(one, true), ['kitchen', 'attic']);
  t.deepEqual(await isUpdated(other, true), []);
  t.deepEqual(await isUpdated(one, false), []);
  await folder.write('.ota/upload.json', '{"version": 1, "image"');
  t.deepEqual(await isUpdated(one, true), []);
});
