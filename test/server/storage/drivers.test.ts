import { cp } from 'node:fs/promises';
import test from 'ava';
import { sql } from 'kysely';
import { newProject } from '../../../src/server/services/releases/project.ts';
import { Connection } from '../../../src/server/storage/sql/sqlite/connection.ts';
import { chooseDriver } from '../../../src/server/storage/sql/sqlite/drivers/choose.ts';
import type { SqliteDriver } from '../../../src/server/storage/sql/sqlite/drivers/driver.ts';
import { libsql } from '../../../src/server/storage/sql/sqlite/drivers/libsql.ts';
import { nodeSqlite } from '../../../src/server/storage/sql/sqlite/drivers/node-sqlite.ts';
import { openSqliteStore } from '../../../src/server/storage/sql/sqlite/open-sqlite.ts';
import type { Store } from '../../../src/server/storage/store.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';
import { auditBy } from '../audit-by.ts';
import { sketchMd5Of, testBuild } from '../builds.ts';
import { drivers } from './drivers.ts';

test('chooses node:sqlite when Node.js includes it, and libsql otherwise', async (t) => {
  t.is((await chooseDriver()).name, nodeSqlite() === undefined ? 'libsql' : 'node:sqlite');
});

test('names the command that installs libsql when the package is missing', async (t) => {
  const error = await expectOtaError(t, 'SQLITE_MISSING', () => libsql(() => import(`libsql-${'not-installed'}`)));
  t.is(
    error.message,
    `The server on Node.js ${process.versions.node} needs the libsql package, which is not installed`,
  );
  t.regex(error.hint, /^Run `npm install --save-dev libsql@0\.5` \(/);
});

test('names the platform when libsql is installed without a binary for the platform', async (t) => {
  const missing = Object.assign(new Error("Cannot find module '@libsql/win32-arm64'"), { code: 'MODULE_NOT_FOUND' });
  const error = await expectOtaError(t, 'SQLITE_MISSING', () => libsql(() => Promise.reject(missing)));
  t.true(error.message.endsWith(`which cannot be loaded on ${process.platform}-${process.arch}`));
  t.regex(error.hint, /Node\.js 22\.13/);
});

async function fill(store: Store): Promise<string> {
  const { manifest } = await testBuild({ version: '1.0', project: 'door' });
  const release = { project: 'door', version: '1.0', kind: 'sketch', board: '', purpose: 'serve' } as const;
  await store.catalog.publish({
    release: { ...release, publishedAt: 1, manifest },
    channel: 'stable',
    isTrusted: true,
    project: newProject('door', []),
    audit: () => [auditBy('tester')],
  });
  return sketchMd5Of(manifest);
}

for (const driver of drivers) {
  const open = async (path: string) => new Connection(path, driver);

  test(`${driver.name}: reports errors with the SQLite error codes`, async (t) => {
    const folder = await testFolder(t);
    const code = (run: () => unknown) => {
      const error = t.throws(run, { instanceOf: Error });
      return error !== undefined && 'code' in error ? error.code : undefined;
    };
    await folder.write('plain.db', 'not a database, but as long as the header of one '.repeat(20));
    const first = await open(folder.at('first.db'));
    t.is(
      code(() => new Connection(folder.at('first.db'), driver)),
      'SQLITE_BUSY',
    );
    first.execute('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT; PRAGMA max_page_count = 4');
    first.execute('BEGIN');
    t.is(
      code(() => first.execute(`INSERT INTO notes (text) VALUES ('${'long'.repeat(9000)}')`)),
      'SQLITE_FULL',
    );
    first.close();
    t.is(
      code(() => new Connection(folder.at('plain.db'), driver)),
      'SQLITE_NOTADB',
    );
  });

  test(`${driver.name}: reports the error that made SQLite roll back a transaction, and begins the next one`, async (t) => {
    const connection = await open((await testFolder(t)).at('notes.db'));
    connection.execute('CREATE TABLE notes (id INTEGER PRIMARY KEY) STRICT; INSERT INTO notes VALUES (1)');
    const { db } = connection;
    const failing = db.transaction().execute((change) => sql`INSERT OR ROLLBACK INTO notes VALUES (1)`.execute(change));
    await t.throwsAsync(failing, { message: /UNIQUE/ });
    await db.transaction().execute((change) => sql`INSERT INTO notes VALUES (2)`.execute(change));
    t.is((await sql`SELECT id FROM notes`.execute(db)).rows.length, 2);
    connection.close();
  });

  for (const other of drivers.filter((each) => each !== driver)) {
    test(`${other.name} opens a database that ${driver.name} closed`, async (t) => {
      const folder = await testFolder(t);
      const before = await openSqliteStore(folder.at('data/ota.db'), 'a test', driver);
      const md5 = await fill(before);
      await before.close();
      await assertFilled(t, folder.at('data/ota.db'), other, md5);
    });

    test(`${other.name} recovers the journal left behind by a crash with ${driver.name}`, async (t) => {
      const folder = await testFolder(t);
      const before = await openSqliteStore(folder.at('data/ota.db'), 'a test', driver);
      const md5 = await fill(before);
      await cp(folder.at('data'), folder.at('after the crash'), { recursive: true });
      await before.close();
      await assertFilled(t, folder.at('after the crash/ota.db'), other, md5);
    });
  }
}

async function assertFilled(t: Parameters<typeof testFolder>[0], path: string, driver: SqliteDriver, md5: string) {
  const store = await openSqliteStore(path, 'a test', driver);
  t.is((await store.catalog.projects())[0]?.project.name, 'door');
  t.is((await store.catalog.recognize('door', md5))[0]?.release.version, '1.0');
  await store.close();
}
