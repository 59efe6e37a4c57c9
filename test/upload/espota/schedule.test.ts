import test from 'ava';
import { carryOut, schedules } from './schedule.ts';

const seed = Number(process.env['OTA_HOOKS_SEED'] ?? 1);

test(`300 uploads with faults by seed ${seed}: no hang, no false word, no password told, no busy loop`, async (t) => {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const { problems, verdicts } = await carryOut(schedules(300, seed), 24);
  t.deepEqual(problems, []);
  const { user, system } = process.cpuUsage(before);
  const tookMs = performance.now() - startedAt;
  t.log(JSON.stringify([...verdicts]));
  t.is(verdicts.size, 6, 'every verdict was met');
  t.log(`${(tookMs / 1000).toFixed(1)} s, ${((user + system) / 1000 / tookMs).toFixed(2)} of a core`);
});
