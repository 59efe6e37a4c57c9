import test, { type ExecutionContext } from 'ava';
import type { SqliteDriver } from '../../../src/server/storage/sql/sqlite/drivers/driver.ts';
import { openSqliteStore } from '../../../src/server/storage/sql/sqlite/open-sqlite.ts';
import type { Store } from '../../../src/server/storage/store.ts';
import { testFolder } from '../../support/test-folder.ts';
import { drivers } from './drivers.ts';
import { fillPlannedStore, largeTables, runDashboard, runDevices, runRollout } from './planned-store.ts';

const parts = { 'device requests': runDevices, 'device lists': runDashboard, rollouts: runRollout };

for (const driver of drivers) {
  for (const [what, run] of Object.entries(parts)) {
    test(`${driver.name}: reads only parts of indexes for ${what}`, async (t) => {
      const plans = await plansOf(t, driver, run);
      t.true(plans.length > 3);
      for (const { statement, steps } of plans) {
        for (const step of steps) t.true(isPart(statement, step), `${step}\n${statement}`);
      }
    });
  }
}

for (const driver of drivers) {
  test(`${driver.name}: lists the members of a rollout from ranges of an index`, async (t) => {
    const plans = await plansOf(t, driver, runDashboard);
    const steps = plans.flatMap((plan) => plan.steps).filter((step) => step.includes('rollout_members'));
    t.true(steps.length > 0);
    for (const step of steps) t.regex(step, /rollout_members_listed \(rollout_id=\? AND stage=\? AND kind=\?/);
  });
}

interface Plan {
  readonly statement: string;
  readonly steps: readonly string[];
}

/** Returns the plans of the statements that the work runs. */
async function plansOf(
  t: ExecutionContext,
  driver: SqliteDriver,
  run: (store: Store, rollout: number) => Promise<void>,
): Promise<readonly Plan[]> {
  const path = (await testFolder(t)).at('ota.db');
  const statements = new Set<string>();
  const store = await openSqliteStore(path, 'a test', recordingDriver(driver, statements));
  const rollout = await fillPlannedStore(store);
  statements.clear();
  await run(store, rollout);
  await store.close();
  const database = driver.open(path);
  t.teardown(() => database.close());
  const planned = [...statements].filter((text) => /^\s*(select|insert|update|delete|with)\b/i.test(text));
  return planned.map((statement) => {
    const rows = database.prepare(`EXPLAIN QUERY PLAN ${statement}`).all([]) as { detail: string }[];
    return { statement, steps: rows.map(({ detail }) => detail) };
  });
}

/**
 * Returns whether a step reads only a part of a large table. A step that is limited only to a project reads all of its devices, unless the
 * statement ends after a number of rows.
 */
function isPart(statement: string, step: string): boolean {
  const [, how, table = ''] = /^(SCAN|SEARCH) (\S+)/.exec(step) ?? [];
  if (how === undefined || !largeTables.includes(table)) return true;
  if (how === 'SCAN') return false;
  return !/\((project_id|rollout_id)=\?\)/.test(step) || /\blimit\b/i.test(statement);
}

function recordingDriver(driver: SqliteDriver, statements: Set<string>): SqliteDriver {
  return {
    ...driver,
    open(path) {
      const database = driver.open(path);
      return {
        exec: (sql) => database.exec(sql),
        close: () => database.close(),
        prepare(sql) {
          const statement = database.prepare(sql);
          const note = () => void statements.add(sql);
          return {
            get(values) {
              note();
              return statement.get(values);
            },
            all(values) {
              note();
              return statement.all(values);
            },
            run(values) {
              note();
              return statement.run(values);
            },
          };
        },
      };
    },
  };
}

test('distinguishes the whole of a table from a part of it', (t) => {
  t.false(isPart('SELECT mac FROM devices', 'SCAN devices'));
  t.false(isPart('SELECT mac FROM devices', 'SCAN devices USING COVERING INDEX devices_searched'));
  t.false(isPart('SELECT mac FROM devices', 'SEARCH devices USING COVERING INDEX devices_searched (project_id=?)'));
  t.true(isPart('SELECT mac FROM devices LIMIT 9', 'SEARCH devices USING PRIMARY KEY (project_id=?)'));
  t.true(isPart('SELECT mac FROM devices', 'SEARCH devices USING PRIMARY KEY (project_id=? AND mac=?)'));
  t.true(isPart('SELECT id FROM projects', 'SCAN projects'));
});
