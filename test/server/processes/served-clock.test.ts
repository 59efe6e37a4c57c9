/** Served time, which all processes share. */
import test from 'ava';
import { advanceEveryMs, ServedClock } from '../../../src/server/services/rollouts/service-clock.ts';

/** Stored time of several processes, and a monotonic clock that the test sets. */
function sharedTime() {
  const shared = { storedMs: 1000, monotonicMs: 0 };
  const store = {
    servedMs: async () => shared.storedMs,
    async advanceServedMs(byMs: number) {
      shared.storedMs += byMs;
      return shared.storedMs;
    },
  };
  return { shared, open: () => ServedClock.open(store, () => shared.monotonicMs) };
}

const servedMs = (clock: ServedClock) => clock.now().servedMs;

test('advances with the monotonic clock, and stores the time in the leading process', async (t) => {
  const { shared, open } = sharedTime();
  const [leader, other] = [await open(), await open()];
  shared.monotonicMs = 4000;
  t.deepEqual([servedMs(leader), servedMs(other)], [5000, 5000]);
  await leader.advance();
  t.is(shared.storedMs, 5000);
  await other.update();
  shared.monotonicMs = 6000;
  t.deepEqual([servedMs(leader), servedMs(other)], [7000, 7000]);
  t.is(servedMs(await open()), 5000, 'a new process begins with the stored time');
});

test('stands still during a long outage of the database, and never goes back', async (t) => {
  const { shared, open } = sharedTime();
  const clock = await open();
  shared.monotonicMs = 3_600_000;
  t.is(servedMs(clock), 1000 + 2 * advanceEveryMs);
  await clock.advance();
  t.is(shared.storedMs, 1000 + 2 * advanceEveryMs);
  shared.storedMs = 0;
  await clock.update();
  t.is(servedMs(clock), 1000 + 2 * advanceEveryMs);
});

test('makes up for the time without a leader when another process leads', async (t) => {
  const { shared, open } = sharedTime();
  const next = await open();
  shared.monotonicMs = 7000;
  await next.update();
  await next.advance();
  t.is(shared.storedMs, 8000);
});

test('is never behind the start of a rollout that another process started', async (t) => {
  const { open } = sharedTime();
  const clock = await open();
  clock.atLeast(3000);
  t.is(servedMs(clock), 3000);
});
