import test from 'ava';
import type { DeliveryVerdict } from '../../../src/delivery/verdict.ts';
import { carryOut, schedules } from './schedule.ts';

const seed = Number(process.env['OTA_HOOKS_SEED'] ?? 1);
const count = 300;
/** A part takes seconds; AVA's timeout of two minutes catches an upload that hangs. */
const parts = 4;

const met = new Set<DeliveryVerdict['kind']>();
const all = schedules(count, seed);

for (let part = 0; part < parts; part++) {
  const title = `uploads with faults by seed ${seed}, part ${part + 1} of ${parts}: no hang, no false word, no password told`;
  test.serial(title, async (t) => {
    const { problems, verdicts } = await carryOut(
      all.filter((_, index) => index % parts === part),
      count / parts,
    );
    t.deepEqual(problems, []);
    for (const kind of verdicts.keys()) met.add(kind);
    t.log(JSON.stringify([...verdicts]));
  });
}

test.serial('the schedules produce every kind of verdict', (t) => {
  t.is(met.size, 6);
});
