import test, { type ExecutionContext } from 'ava';
import { openPostgresStore } from '../../../src/server/storage/sql/postgres/open-postgres.ts';
import type { Store } from '../../../src/server/storage/store.ts';
import { type PostgresCluster, startPostgres } from '../../engines/postgres.ts';
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
