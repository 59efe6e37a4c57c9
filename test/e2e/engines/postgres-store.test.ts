import test, { type ExecutionContext } from 'ava';
import { newProject } from '../../../src/server/services/releases/project.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { openPostgresStore } from '../../../src/server/storage/sql/postgres/open-postgres.ts';
import type { Store } from '../../../src/server/storage/store.ts';
import { type PostgresCluster, startPostgres } from '../../engines/postgres.ts';
import { auditBy } from '../../server/audit-by.ts';
import { rollout } from '../../server/storage/contract-records.ts';
import { storeContract } from '../../server/storage/store-contract.ts';
import { expectOtaError } from '../../support/expected-error.ts';

let cluster: PostgresCluster;
let databases = 0;

test.before(async () => {
  cluster = await startPostgres();
});

test.after.always(() => cluster?.end());

async function newDatabase(): Promise<string> {
  return cluster.createDatabase(`store${++databases}`);
}

function opener(t: ExecutionContext) {
  const opened: Store[] = [];
  t.teardown(() => Promise.all(opened.map((store) => store.close())));
  return async (url: string) => {
    const store = await openPostgresStore(url);
    opened.push(store);
    return store;
  };
}

test('rejects tables that lack a column or an index, and opens them when they fit again', async (t) => {
  const url = await newDatabase();
  const name = new URL(url).pathname.slice(1);
  await (await openPostgresStore(url)).close();
  const index = await cluster.sql(
    "SELECT min(indexname) FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'devices%' AND indexname NOT LIKE '%_pkey'",
    name,
  );
  const changes = [
    ['devices RENAME COLUMN mac TO hardware', 'devices RENAME COLUMN hardware TO mac', 'the column devices.mac'],
    [`INDEX ${index} RENAME TO other`, `INDEX other RENAME TO ${index}`, `the index ${index}`],
  ];
  for (const [change = '', revert = '', part = ''] of changes) {
    const alter = (what: string) => cluster.sql(`ALTER ${what.replace(/^(?!INDEX)/, 'TABLE ')}`, name);
    await alter(change);
    const { message } = await expectOtaError(t, 'SERVER_TABLES_UNFIT', () => openPostgresStore(url));
    t.true(message.endsWith(`it lacks ${part}`), message);
    await alter(revert);
  }
  await opener(t)(url);
});

test('opens a database in which its user may not create temporary tables', async (t) => {
  const url = await newDatabase();
  const name = new URL(url).pathname.slice(1);
  await cluster.sql(
    `REVOKE TEMPORARY ON DATABASE ${name} FROM PUBLIC; CREATE ROLE guest LOGIN PASSWORD 'guest'; GRANT CREATE ON SCHEMA public TO guest`,
    name,
  );
  const { host, pathname } = new URL(url);
  const store = await opener(t)(`postgres://guest:guest@${host}${pathname}`);
  t.deepEqual(await store.catalog.projects(), []);
});

test('finds kept counts that are wrong, and counts the devices again', async (t) => {
  const url = await newDatabase();
  const name = new URL(url).pathname.slice(1);
  const store = await opener(t)(url);
  await store.catalog.saveProject(newProject('door', []), auditBy('tester'));
  await store.devices.save(newRecord('door', '18:FE:34:00:00:01'), { mostDevices: 10 });
  const differences = () => store.counts.differences(() => undefined);
  t.deepEqual(await differences(), []);
  await cluster.sql('UPDATE device_counts SET devices = devices + 2', name);
  const [found, ...others] = await differences();
  t.regex(found ?? '', /^device_counts .*status=unknown.*: 3 are counted, but there are 1$/);
  t.deepEqual(others, []);
  await store.counts.recount();
  t.deepEqual(await differences(), []);
  await cluster.sql(`INSERT INTO blocker_counts VALUES (1, 'flash-size', 0)`, name);
  await store.counts.removeEmpty();
  t.is(await cluster.sql('SELECT count(*) FROM blocker_counts', name), '0');
});

test('stores the many devices of an ended rollout in parts, while devices can change', async (t) => {
  const url = await newDatabase();
  const name = new URL(url).pathname.slice(1);
  const store = await opener(t)(url);
  await store.catalog.saveProject(newProject('door', []), auditBy('tester'));
  const { id } = (await store.rollouts.create(rollout(2, 1), () => auditBy('tester'))) ?? t.fail();
  await cluster.sql(
    `UPDATE rollout_countings SET counted_to = NULL;
     INSERT INTO rollout_members (rollout_id, mac, stage, kind)
       SELECT ${id}, lpad(to_hex(n), 12, '0'), 0, 'running' FROM generate_series(1, 25000) AS n;
     CREATE FUNCTION require_part() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF (SELECT count(*) FROM added) > 10000 THEN RAISE 'too many devices in one statement'; END IF;
       RETURN NULL;
     END $$;
     CREATE TRIGGER parts AFTER INSERT ON rollout_results
       REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_part();`,
    name,
  );
  const found = (await store.rollouts.find('door', id)) ?? t.fail();
  const ended = { ...found, state: 'complete' } as const;
  // Changes of devices lock the project shared, which is possible unless the waiting transaction has locked it.
  const probe = cluster.sql(
    `DO $$ BEGIN
       LOCK TABLE rollout_results;
       FOR tries IN 1..1000 LOOP
         PERFORM pg_stat_clear_snapshot();
         IF EXISTS (SELECT FROM pg_locks WHERE relation = 'rollout_results'::regclass AND NOT granted) THEN
           PERFORM FROM projects FOR SHARE NOWAIT;
           RETURN;
         END IF;
         PERFORM pg_sleep(0.02);
       END LOOP;
       RAISE 'nothing waits for the table';
     END $$`,
    name,
  );
  const held = `SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'rollout_results'::regclass`;
  while ((await cluster.sql(held, name)) !== '1') await Promise.race([probe, undefined]);
  const saving = store.rollouts.save(ended, { audit: auditBy('tester') }, (counts) => ({
    ...ended,
    result: { at: 1, tallies: [], counts },
  }));
  await probe;
  const saved = await saving;
  t.deepEqual(saved !== 'conflict' && saved.result?.counts, [{ stage: 0, kind: 'running', devices: 25_000 }]);
});

storeContract(test, 'PostgreSQL', async (t) => {
  const url = await newDatabase();
  const open = opener(t);
  let store = await open(url);
  const peer = await open(url);
  return {
    get store() {
      return store;
    },
    peer,
    async reopen() {
      store = await open(url);
      return store;
    },
    another: async () => open(await newDatabase()),
  };
});
