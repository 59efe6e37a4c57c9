import { readFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { sql } from 'kysely';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { sqliteEngine } from '../../../src/server/storage/sql/engines/sqlite.ts';
import { migrate, ownMigrations } from '../../../src/server/storage/sql/migrate.ts';
import type { SchemaMigration } from '../../../src/server/storage/sql/schema-migration.ts';
import { sqlStore } from '../../../src/server/storage/sql/sql-store.ts';
import { Connection } from '../../../src/server/storage/sql/sqlite/connection.ts';
import type { SqliteDatabase, SqliteDriver } from '../../../src/server/storage/sql/sqlite/drivers/driver.ts';
import { openSqliteStore } from '../../../src/server/storage/sql/sqlite/open-sqlite.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';
import { auditBy } from '../audit-by.ts';
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

migrateTest('rejects data that requires a newer program, and leaves the data unchanged', async (t, driver) => {
  const path = (await testFolder(t)).at('ota.db');
  await (await openSqliteStore(path, 'a test', driver)).close();
  change(path, driver, (database) => {
    database.exec("INSERT INTO ota_hooks_migrations VALUES ('9999-future', '9.1.0')");
    database.exec("INSERT INTO meta VALUES ('of the future', '1')");
  });
  const before = tablesIn(path, driver);
  const error = await expectOtaError(t, 'SERVER_DATA_NEWER', () => openSqliteStore(path, 'a test', driver));
  t.regex(error.message, /requires ota-hooks 9\.1\.0 or newer .* 9999-future, but this is ota-hooks \d/);
  t.deepEqual(tablesIn(path, driver), before);
  change(path, driver, (database) => {
    t.like(database.prepare('SELECT count(*) AS rows FROM meta').get([]), { rows: 1 });
  });
});

migrateTest('uses data with a newer migration that allows this version, without a migration', async (t, driver) => {
  const path = (await testFolder(t)).at('ota.db');
  await (await openSqliteStore(path, 'a test', driver)).close();
  change(path, driver, (database) => {
    database.exec("INSERT INTO ota_hooks_migrations VALUES ('9999-future', '0.1.0')");
    database.exec('ALTER TABLE devices ADD COLUMN place TEXT');
  });
  const before = tablesIn(path, driver);
  await (await openSqliteStore(path, 'a test', driver)).close();
  t.deepEqual(tablesIn(path, driver), before);
});

migrateTest('rejects the database of another program, and leaves it unchanged', async (t, driver) => {
  const path = (await testFolder(t)).at('ota.db');
  change(path, driver, (database) => database.exec('CREATE TABLE customers (id INTEGER PRIMARY KEY)'));
  const error = await expectOtaError(t, 'SERVER_DATABASE_FOREIGN', () => openSqliteStore(path, 'a test', driver));
  t.regex(error.message, /ota\.db belongs to another program: it has the table customers/);
  t.is((tablesIn(path, driver) as unknown[]).length, 1);
});

/** Migration that adds a table and columns, as a newer version would. */
function addition(oldestProgram: string): SchemaMigration {
  return {
    oldestProgram,
    async up({ schema }, { text }) {
      await schema.createTable('places').addColumn('name', text).execute();
      await schema.alterTable('devices').addColumn('place', text).execute();
    },
  };
}

async function engineIn(t: ExecutionContext, driver: SqliteDriver) {
  const path = (await testFolder(t)).at('ota.db');
  const connection = new Connection(path, driver);
  t.teardown(() => connection.close());
  return sqliteEngine({ connection, path, copyPath: path, close: async () => connection.close() });
}

migrateTest('reads and writes while a newer version adds to the tables', async (t, driver) => {
  const engine = await engineIn(t, driver);
  await migrate(engine);
  const store = sqlStore(engine);
  const settings = { access: 'open', keys: [], aliases: [], confirmWithinMs: 1000, mostSends: 3 } as const;
  await store.catalog.saveProject({ name: 'door', createdAt: 1, ...settings }, auditBy('tester'));
  t.is(await store.devices.save(newRecord('door', mac), { mostDevices: 9 }), 'saved');
  await migrate(engine, { ...ownMigrations, '9999-future': addition('0.1.0') }, '0.2.0');
  t.is((await store.devices.check('door', mac))?.record?.revision, 1);
  t.is(await store.devices.save({ ...newRecord('door', mac), revision: 1 }, { mostDevices: 9 }), 'saved');
  t.is(await store.devices.save(newRecord('door', '18:FE:34:00:00:02'), { mostDevices: 9 }), 'saved');
  t.is((await store.devices.list('door', { limit: 9 })).length, 2);
  await migrate(engine);
});

migrateTest('compares versions by their numbers', async (t, driver) => {
  const engine = await engineIn(t, driver);
  const migrations = { ...ownMigrations, '9999-future': { oldestProgram: '0.10.0', up: async () => undefined } };
  await migrate(engine, migrations, '0.10.0');
  await migrate(engine, ownMigrations, '0.10.0');
  await migrate(engine, ownMigrations, '1.0.0-beta.1');
  for (const old of ['0.9.0', '0.9.11', '0.0.1']) {
    await expectOtaError(t, 'SERVER_DATA_NEWER', () => migrate(engine, ownMigrations, old));
  }
});

migrateTest('applies all migrations or none', async (t, driver) => {
  const engine = await engineIn(t, driver);
  const first: SchemaMigration = {
    oldestProgram: '0.1.0',
    up: ({ schema }) => schema.createTable('notes').addColumn('text', 'text').execute(),
  };
  const second: SchemaMigration = {
    oldestProgram: '0.1.0',
    async up(db) {
      await sql`INSERT INTO notes VALUES ('half')`.execute(db);
      throw new Error('the disk is gone');
    },
  };
  await t.throwsAsync(migrate(engine, { '1': first, '2': second }), { message: 'the disk is gone' });
  t.deepEqual(await engine.tables(engine.db), []);
  await migrate(engine, { '1': first });
  t.deepEqual(await engine.tables(engine.db), ['ota_hooks_migrations', 'notes']);
  await migrate(engine, { '1': first });
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
