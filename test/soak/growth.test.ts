import test from 'ava';
import { growthPerMinute } from './growth.ts';

test('the growth of a soak is the slope of its samples', (t) => {
  const samples = [0, 1, 2, 3].map((minute) => ({
    atMinutes: minute,
    memoryMb: 100 + 0.5 * minute,
    handles: 20,
    journalMb: minute % 2,
  }));
  const growth = growthPerMinute(samples);
  t.is(growth.memoryMb, 0.5);
  t.is(growth.handles, 0);
  t.true(Math.abs(growth.journalMb) < 0.5);
  t.is(growthPerMinute(samples.slice(0, 1)).memoryMb, 0);
});
