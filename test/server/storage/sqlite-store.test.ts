import { writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { newProject } from '../../../src/server/services/releases/project.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { DeviceRecord } from '../../../src/server/storage/records.ts';
import type { SqliteDriver } from '../../../src/server/storage/sql/sqlite/drivers/driver.ts';
import { openSqliteStore } from '../../../src/server/storage/sql/sqlite/open-sqlite.ts';
import type { Store } from '../../../src/server/storage/store.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';
import { auditBy } from '../audit-by.ts';
import { drivers } from './drivers.ts';
import { storeContract } from './store-contract.ts';

for (const driver of drivers) {
  storeContract(test, driver.name, async (t) => {
    const { open } = await folderStore(t, driver);
    let store = await open('data');
    let others = 0;
    return {
      get store() {
        return store;
      },
      get peer() {
        return store;
      },
      async reopen() {
        await store.close();
        store = await open('data');
        return store;
      },
      another: () => open(`other${++others}`),
    };
  });
}

/**
 * Runs a test with each driver. Drivers in one process do not detect each other's locks, so both programs in a test use the same driver.
 */
function storeTest(title: string, run: (t: ExecutionContext, driver: SqliteDriver) => Promise<void>): void {
  for (const driver of drivers) test(`${driver.name}: ${title}`, (t) => run(t, driver));
}

async function folderStore(t: ExecutionContext, driver: SqliteDriver) {
  const folder = await testFolder(t);
  const opened: Store[] = [];
  t.teardown(async () => {
    for (const store of opened) await store.close().catch(() => undefined);
  });
  return {
    folder,
    async open(name: string) {
      const store = await openSqliteStore(folder.at(`${name}/ota.db`), 'a test', driver);
      opened.push(store);
      return store;
    },
  };
}

storeTest('rejects a second server on the same database, and names the first server', async (t, driver) => {
  const { folder, open } = await folderStore(t, driver);
  const first = await open('data');
  const error = await expectOtaError(t, 'SERVER_DATA_IN_USE', () =>
    openSqliteStore(folder.at('data/ota.db'), 'another', driver),
  );
  t.regex(error.message, /a test/);
  await first.close();
  await (await open('data')).close();
});

storeTest('rejects a database until another program releases its lock on the database', async (t, driver) => {
  const { folder, open } = await folderStore(t, driver);
  await (await open('data')).close();
  // The other program may be the SQLite shell, for example.
  const other = driver.open(folder.at('data/ota.db'));
  other.exec('BEGIN IMMEDIATE');
  const error = await expectOtaError(t, 'SERVER_DATA_IN_USE', () => open('data'));
  t.regex(error.message, /data/);
  other.exec('ROLLBACK');
  other.close();
  const store = await open('data');
  await store.catalog.saveProject(newProject('door', []), auditBy('tester'));
  const intruder = driver.open(folder.at('data/ota.db'));
  t.throws(() => intruder.exec('DELETE FROM projects'), { any: true, message: /locked/ });
  intruder.close();
  await store.catalog.saveProject(newProject('window', []), auditBy('tester'));
  t.is((await store.catalog.projects()).length, 2, 'another program does not disturb the server');
});

storeTest('reports why a file that is not a database cannot be opened', async (t, driver) => {
  const { folder, open } = await folderStore(t, driver);
  await folder.write('data/ota.db', 'not a database, but long enough to be read as the header of one '.repeat(20));
  const error = await expectOtaError(t, 'SERVER_DATA_UNREADABLE', () => open('data'));
  t.regex(error.message, /SQLITE_NOTADB|not a database/);
  await writeFile(folder.at('plain'), '');
  await expectOtaError(t, 'SERVER_DATA_UNREADABLE', () => open('plain'));
});

storeTest('waits for the disk for changes by people, and not for changes by devices', async (t, driver) => {
  const recorded: string[] = [];
  const { open } = await folderStore(t, recordingDriver(driver, recorded));
  const store = await open('data');
  await store.catalog.saveProject(newProject('door', []), auditBy('admin'));
  const commits = () => recorded.splice(0).filter((text) => /^(commit|pragma)/.test(text));
  commits();
  await store.devices.save(newRecord('door', '18:FE:34:00:00:01'), { mostDevices: 10 });
  t.deepEqual(commits(), ['pragma synchronous = normal', 'commit', 'pragma synchronous = full']);
  await store.devices.save(newRecord('door', '18:FE:34:00:00:02'), { mostDevices: 10, audit: [auditBy('admin')] });
  t.deepEqual(commits(), ['commit'], 'with the full synchronization of the connection');
});

storeTest('saves a change that affects no counts in one statement', async (t, driver) => {
  const recorded: string[] = [];
  const { open } = await folderStore(t, recordingDriver(driver, recorded));
  const store = await open('data');
  await store.catalog.saveProject(newProject('door', []), auditBy('admin'));
  const record = newRecord('door', '18:FE:34:00:00:01');
  const save = (revision: number, changes: Partial<DeviceRecord>) =>
    store.devices.save({ ...record, revision, ...changes }, { mostDevices: 10, projectRevision: 1 });
  await save(0, {});
  recorded.length = 0;
  t.is(await save(1, { firstSeenAt: 5 }), 'saved');
  t.is(await save(2, { firstSeenAt: 6 }), 'saved');
  t.deepEqual(recorded, ['pragma synchronous = normal', 'update devices', 'update devices']);
  recorded.length = 0;
  t.is(await save(3, { firstSeenAt: 6, group: 'attic' }), 'saved');
  t.deepEqual(recorded, [
    'update devices',
    'pragma synchronous = full',
    'pragma synchronous = normal',
    'begin',
    'update devices',
    'insert device_counts',
    'commit',
    'pragma synchronous = full',
  ]);
});

/** Records the changes to a database, its transactions, and the changes to how they wait for the disk. */
function recordingDriver(driver: SqliteDriver, recorded: string[]): SqliteDriver {
  const record = (sql: string) => {
    const text = sql.toLowerCase();
    const [, change, table] = /^(insert|update|delete)(?: into| from)? "(\w+)"/.exec(text) ?? [];
    if (change !== undefined) recorded.push(`${change} ${table}`);
    if (/^(begin|commit|rollback|pragma synchronous)/.test(text)) recorded.push(text);
  };
  return {
    ...driver,
    open(path) {
      const database = driver.open(path);
      return {
        exec(sql) {
          record(sql);
          database.exec(sql);
        },
        close: () => database.close(),
        prepare(sql) {
          const statement = database.prepare(sql);
          return {
            get: (values) => statement.get(values),
            all(values) {
              record(sql);
              return statement.all(values);
            },
            run(values) {
              record(sql);
              return statement.run(values);
            },
          };
        },
      };
    },
  };
}
