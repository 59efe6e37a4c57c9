import { readFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { type Kysely, type Migration, sql } from 'kysely';
import { Connection } from '../../../src/server/storage/sqlite/connection.ts';
import type { SqliteDatabase, SqliteDriver } from '../../../src/server/storage/sqlite/drivers/driver.ts';
import { migrate } from '../../../src/server/storage/sqlite/migrate.ts';
import { openSqliteStore } from '../../../src/server/storage/sqlite/sqlite-store.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';
import { drivers } from './drivers.ts';

const mac = '18:FE:34:00:00:01';

function migrateTest(title: string, run: (t: ExecutionContext, driver: SqliteDriver) => Promise<void>): void {
  for (const driver of drivers) test(`${driver.name}: ${title}`, (t) => run(t, driver));
}

function change(path: string, driver: SqliteDriver, work: (database: SqliteDatabase) => void): void {
  const database = driver.open(path);
  try {
    work(database);
  } finally {
    database.close();
  }
}

function tablesIn(path: string, driver: SqliteDriver): unknown {
  let found: unknown;
  change(path, driver, (database) => {
    const query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name";
    found = JSON.parse(JSON.stringify(database.prepare(query).all([])));
  });
  return found;
}

migrateTest('opens data from version 0.1.0', async (t, driver) => {
  const folder = await testFolder(t);
  const path = folder.at('ota.db');
  const data = await readFile('test/fixtures/server-data/0.1.0.sql', 'utf8');
  change(path, driver, (database) => database.exec(data));
  const store = await openSqliteStore(path, 'a test', driver);
  t.is((await store.catalog.currentReleases('door'))[0]?.release.version, '1.0');
  t.like(await store.devices.get('door', mac), { record: { name: 'front door', revision: 1 }, lastSeenAt: 5 });
  t.is((await store.devices.list('door', { limit: 9 }, { runs: '1.0', group: 'hall' })).length, 1);
  t.is((await store.audit.ofDevice('door', mac, 9)).length, 1);
  t.is((await store.rollouts.current())[0]?.channel, 'beta');
  t.deepEqual((await store.tokens.find('abc'))?.roles, ['admin']);
  t.is(await store.servedMs(), 99);
  await store.close();
  await (await openSqliteStore(folder.at('new.db'), 'a test', driver)).close();
  t.deepEqual(
    tablesIn(folder.at('new.db'), driver),
    tablesIn(path, driver),
    'migrations lead to the tables of new data',
  );
});

migrateTest('rejects data with an unknown migration, and leaves the data unchanged', async (t, driver) => {
  const path = (await testFolder(t)).at('ota.db');
  await (await openSqliteStore(path, 'a test', driver)).close();
  change(path, driver, (database) => {
    database.exec("INSERT INTO kysely_migration VALUES ('9999-future', '2999-01-01T00:00:00.000Z')");
    database.exec("INSERT INTO meta VALUES ('of the future', '1')");
  });
  const before = tablesIn(path, driver);
  const error = await expectOtaError(t, 'SERVER_DATA_NEWER', () => openSqliteStore(path, 'a test', driver));
  t.regex(error.message, /9999-future.*0001-/);
  t.deepEqual(tablesIn(path, driver), before);
  change(path, driver, (database) => {
    t.like(database.prepare('SELECT count(*) AS rows FROM meta').get([]), { rows: 1 });
  });
});

migrateTest('applies all migrations or none', async (t, driver) => {
  const connection = new Connection((await testFolder(t)).at('ota.db'), driver);
  t.teardown(() => connection.close());
  const first: Migration = {
    up: ({ schema }: Kysely<unknown>) => schema.createTable('notes').addColumn('text', 'text').execute(),
  };
  const second: Migration = {
    async up(db: Kysely<unknown>) {
      await sql`INSERT INTO notes VALUES ('half')`.execute(db);
      throw new Error('the disk is gone');
    },
  };
  await t.throwsAsync(migrate(connection, 'ota.db', { '1': first, '2': second }), { message: 'the disk is gone' });
  const tables = async () => (await connection.db.introspection.getTables()).map(({ name }) => name);
  t.deepEqual(await tables(), []);
  await migrate(connection, 'ota.db', { '1': first });
  t.deepEqual(await tables(), ['notes']);
  await migrate(connection, 'ota.db', { '1': first });
});

test('rejects a value that SQLite cannot store before passing it to the driver', async (t) => {
  for (const driver of drivers) {
    const connection = new Connection((await testFolder(t)).at(`${driver.name.replace(':', '-')}.db`), driver);
    await t.throwsAsync(sql`SELECT ${true}`.execute(connection.db), { instanceOf: TypeError });
    const { rows } = await sql<{ value: number }>`SELECT ${5} AS value`.execute(connection.db);
    t.is(rows[0]?.value, 5);
    connection.close();
  }
});
