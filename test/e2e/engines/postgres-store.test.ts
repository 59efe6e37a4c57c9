import test, { type ExecutionContext } from 'ava';
import { newProject } from '../../../src/server/services/releases/project.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { openPostgresStore } from '../../../src/server/storage/sql/postgres/open-postgres.ts';
import type { Store } from '../../../src/server/storage/store.ts';
import { type PostgresCluster, startPostgres } from '../../engines/postgres.ts';
import { auditBy } from '../../server/audit-by.ts';
import { storeContract } from '../../server/storage/store-contract.ts';

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
