/** Data of every earlier version of the tables can be used, and no migration changes after it was recorded. */
import { copyFile, readdir, readFile, stat } from 'node:fs/promises';
import test from 'ava';
import { openServedData } from '../../../src/server/compose.ts';
import { sqliteTables } from '../../../src/server/storage/sql/engines/sqlite.ts';
import { ownMigrations } from '../../../src/server/storage/sql/migrate.ts';
import { Connection } from '../../../src/server/storage/sql/sqlite/connection.ts';
import { copyBeforeUpgrade } from '../../../src/server/storage/sql/sqlite/copy-before-upgrade.ts';
import { openSqliteStore } from '../../../src/server/storage/sql/sqlite/open-sqlite.ts';
import type { DumpLine } from '../../../src/server/storage/store.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';
import { startTestServer } from '../running-server.ts';
import { drivers } from './drivers.ts';
import { fixtureOf, migratedData, recordFile, type SchemaRecord, sha256Of, sourceOf } from './schema-record.ts';

const record: SchemaRecord = JSON.parse(await readFile(recordFile, 'utf8'));
const names = Object.keys(ownMigrations);
const [driver] = drivers;
if (driver === undefined) throw new Error('no SQLite driver is installed');

function appliedIn(fixture: string): readonly string[] {
  return [...fixture.matchAll(/INTO "?ota_hooks_migrations"? VALUES ?\('([^']+)'/g)].map(([, name = '']) => name);
}

function make(path: string, sqlText: string): void {
  const database = driver?.open(path);
  database?.exec(sqlText);
  database?.close();
}

test('every migration is recorded; run `npm run record:schemas` after adding one', (t) => {
  t.deepEqual(Object.keys(record), names);
});

for (const [name, { source, fixture }] of Object.entries(record)) {
  test(`the migration ${name} is the one that made existing data; add a new migration to change the tables`, async (t) => {
    t.is(await sha256Of(sourceOf(name)), source);
    t.is(await sha256Of(fixtureOf(name)), fixture);
    const text = await readFile(fixtureOf(name), 'utf8');
    if (text.startsWith('--')) return;
    const path = (await testFolder(t)).at('ota.db');
    t.is(await migratedData(path, appliedIn(text), driver), text);
  });

  test(`opens data of the version ${name}, and keeps a copy`, async (t) => {
    const folder = await testFolder(t);
    const path = folder.at('ota.db');
    const text = await readFile(fixtureOf(name), 'utf8');
    make(path, text);
    const copies: string[] = [];
    const store = await openSqliteStore(path, 'a test', driver, { onUpgrade: (copy) => copies.push(copy) });
    t.is((await store.catalog.currentReleases('door'))[0]?.release.version, '1.0');
    t.is((await store.devices.list('door', { limit: 9 }, { runs: '1.0', group: 'hall' })).length, 1);
    t.is((await store.devices.list('door', { limit: 9 }, { releases: [1] })).length, 1);
    await store.close();
    const [pending] = names.filter((each) => !appliedIn(text).includes(each));
    t.deepEqual(copies, pending === undefined ? [] : [`${path}-before-${pending}`]);
  });
}

test('fills the board and the release of devices that were stored before, also those with damaged documents', async (t) => {
  const path = (await testFolder(t)).at('ota.db');
  const rowOf = (mac: string, doc: string) =>
    `INSERT INTO devices SELECT project_id, '${mac}', revision, retention, due_ms, last_seen_at, report, '${doc}', status, name, runs,
      device_group, channels, enrolled, blockers, labels, board, release_id FROM devices LIMIT 1`;
  const rows = [
    rowOf('02:00:00:00:00:01', '{"enrolled":true,"board":"esp01","shownBoard":"d1_mini","decisions":{},"attempts":[]}'),
    rowOf('02:00:00:00:00:02', '{"enrolled":true,"shownBoard":"d1_mini","decisions":{},"attempts":[]}'),
    rowOf('02:00:00:00:00:03', '{"enrolled":'),
  ];
  make(path, [await readFile(fixtureOf('0021-version-samples'), 'utf8'), ...rows].join(';'));
  const store = await openSqliteStore(path, 'a test', driver);
  const onBoard = async (board: string) =>
    (await store.devices.list('door', { limit: 9 }, { board })).map(({ record }) => record.mac);
  t.deepEqual(await onBoard('esp01'), ['02:00:00:00:00:01'], 'the board that a person has set');
  t.deepEqual(await onBoard('d1_mini'), ['02:00:00:00:00:02'], 'the board that a build has shown');
  await store.close();
});

test('fills the board and the release of devices in a backup from before the migration 0020', async (t) => {
  const folder = await testFolder(t);
  make(folder.at('old.db'), await readFile(fixtureOf('0016-release-notes'), 'utf8'));
  const old = await openSqliteStore(folder.at('old.db'), 'a test', driver);
  const lines: DumpLine[] = [];
  for await (const { table, row } of old.dump()) {
    const { board, release_id, ...others } = row;
    lines.push({ table, row: table === 'devices' ? others : row });
  }
  await old.close();
  const store = await openSqliteStore(folder.at('new.db'), 'a test', driver);
  await store.restore(lines);
  t.is((await store.devices.list('door', { limit: 9 }, { releases: [1] })).length, 1);
  await store.close();
});

test('copies the database privately before an upgrade, and removes the copy of the upgrade before', async (t) => {
  const folder = await testFolder(t, { 'ota.db-before-0000-earlier': 'old' });
  const path = folder.at('ota.db');
  make(path, await readFile(fixtureOf('0003-webhooks'), 'utf8'));
  await (await openSqliteStore(path, 'a test', driver)).close();
  const copies = (await readdir(folder.path)).filter((file) => file.includes('-before-'));
  t.deepEqual(copies, ['ota.db-before-0005-member-lists']);
  if (process.platform !== 'win32') t.is((await stat(folder.at(copies[0] ?? ''))).mode & 0o777, 0o600);
  // The copy can be used like the database before the upgrade.
  const again = await openSqliteStore(folder.at(copies[0] ?? ''), 'a test', driver);
  t.is((await again.catalog.currentReleases('door'))[0]?.release.version, '1.0');
  await again.close();
});

test('removes an incomplete copy of the database, which might fill the disk', async (t) => {
  const folder = await testFolder(t);
  const path = folder.at('ota.db');
  make(path, await readFile(fixtureOf('0003-webhooks'), 'utf8'));
  const connection = new Connection(path, driver);
  t.teardown(() => connection.close());
  // SQLite copies no database within a transaction.
  const copying = connection.db
    .transaction()
    .execute((db) => copyBeforeUpgrade({ db, tables: () => sqliteTables(db) }, path));
  await t.throwsAsync(copying, { message: /VACUUM/ });
  t.deepEqual(
    (await readdir(folder.path)).filter((file) => file.includes('-before-')),
    [],
  );
});

for (const [title, change, reason] of [
  ['a step cannot run', 'ALTER TABLE devices ADD COLUMN labels TEXT', /0007-labels-and-pace: .*duplicate column/],
  ['a column is missing', 'ALTER TABLE tokens RENAME COLUMN name TO title', /it lacks the column tokens\.name/],
  ['an index is missing', 'DROP INDEX devices_of_status', /it lacks the index devices_of_status/],
  [
    'they are from a version that never existed',
    "INSERT INTO ota_hooks_migrations VALUES ('0006-never-made', '0.1.0')",
    /it lacks the column /,
  ],
] as const) {
  test(`rejects tables that do not fit, and changes nothing: ${title}`, async (t) => {
    const path = (await testFolder(t)).at('ota.db');
    make(path, `${await readFile(fixtureOf('0005-member-lists'), 'utf8')};${change};`);
    const { message, hint, exitCode } = await expectOtaError(t, 'SERVER_TABLES_UNFIT', () =>
      openSqliteStore(path, 'a test', driver),
    );
    t.regex(message, reason);
    t.regex(hint, /server backup.*server restore/);
    t.is(exitCode, 1);
    const database = driver.open(path);
    const applied = database.prepare('SELECT name FROM ota_hooks_migrations').all([]).length;
    database.close();
    const before = appliedIn(await readFile(fixtureOf('0005-member-lists'), 'utf8')).length;
    t.is(applied, before + (change.startsWith('INSERT') ? 1 : 0), 'the version is not raised');
  });
}

test('reports the copy of an upgrade although the bucket cannot be reached', async (t) => {
  const folder = await testFolder(t);
  const data = folder.at('data');
  await (await startTestServer(t, { data })).close(0);
  const database = driver.open(folder.at('data/ota.db'));
  database.exec("DELETE FROM ota_hooks_migrations WHERE name = '0021-version-samples'; DROP TABLE version_samples");
  database.close();
  // No server listens on port 9.
  const env = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
  const copies: string[] = [];
  const place = { data, blobsUrl: 's3://firmware', env };
  const opened = await openServedData(place, 'a test', { onUpgrade: (copy) => copies.push(copy) });
  await opened.store.close();
  t.truthy(opened.unreachable);
  t.deepEqual(copies, [folder.at('data/ota.db-before-0021-version-samples')]);
});

test('goes back to the copy that was made before an upgrade', async (t) => {
  const folder = await testFolder(t);
  const first = await startTestServer(t, { data: folder.at('data') });
  await first.close(0);
  const path = folder.at('data/ota.db');
  const database = driver.open(path);
  database.exec("DELETE FROM ota_hooks_migrations WHERE name = '0007-labels-and-pace'");
  database.exec('DROP TABLE rollout_sends; DROP INDEX devices_of_labels; ALTER TABLE devices DROP COLUMN labels');
  database.close();
  const upgraded = await startTestServer(t, { data: folder.at('data') });
  t.true(upgraded.logged.some(({ message }) => message.startsWith('Database upgraded')));
  t.is((await upgraded.api('POST', '/tokens', { roles: ['read'] }, first.token)).status, 201);
  await upgraded.close(0);

  await copyFile(`${path}-before-0007-labels-and-pace`, path);
  await expectOtaError(t, 'SERVER_DATABASE_OLDER', () => startTestServer(t, { data: folder.at('data') }));
  const back = await startTestServer(t, { data: folder.at('data'), acceptsOlderDatabase: true });
  const { body } = await back.api('GET', '/tokens', undefined, first.token);
  t.is((body['tokens'] as unknown[]).length, 1, 'later changes are lost');
});
