import test from 'ava';
import type { DeliveryVerdict } from '../../../src/delivery/verdict.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { carryOut, schedules } from './schedule.ts';

const seed = Number(process.env['OTA_HOOKS_SEED'] ?? 1);
const count = propertyRuns(150, 3_000).numRuns;
/** Each part takes seconds, so AVA's two-minute timeout catches an upload that hangs. */
const parts = 4;

const met = new Set<DeliveryVerdict['kind']>();
const all = schedules(count, seed);

for (let part = 0; part < parts; part++) {
  const title = `does not hang, report a false verdict or leak a password: faults from seed ${seed}, part ${part + 1} of ${parts}`;
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

test.serial('seeded fault schedules produce every kind of verdict', (t) => {
  t.is(met.size, 6);
});
