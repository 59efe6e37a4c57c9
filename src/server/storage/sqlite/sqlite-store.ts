import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Store } from '../store.ts';
import { sqliteAudit } from './audit.ts';
import { sqliteCatalog } from './catalog.ts';
import { Committer } from './committer.ts';
import { Connection } from './connection.ts';
import { sqliteDevices } from './devices.ts';
import { chooseDriver } from './drivers/choose.ts';
import type { SqliteDriver } from './drivers/driver.ts';
import { dumpTables, restoreRow } from './dump.ts';
import { JournalFlush } from './journal-flush.ts';
import { migrate } from './migrate.ts';
import { projectIds } from './project-ids.ts';
import { releaseReader } from './releases.ts';
import { sqliteRollouts } from './rollouts.ts';
import { sqliteTokens } from './tokens.ts';

/** Suffixes of the files that are stored next to a database, in addition to SQLite's own files. */
const holderSuffix = '-holder.txt';
const dumpSuffix = '-dump-';

/**
 * Opens a SQLite database.
 *
 * @param path path to the database file; the file and its folder are created if they do not exist
 * @param holder description of this process in one line, shown to any other process that tries to open the database
 * @param driver SQLite driver; defaults to the one that suits this Node.js version
 * @throws OtaError SQLITE_MISSING, SERVER_DATA_IN_USE, SERVER_DATA_NEWER, SERVER_DATA_UNREADABLE
 */
export async function openSqliteStore(path: string, holder: string, driver?: SqliteDriver): Promise<Store> {
  const connection = await openConnection(path, driver ?? (await chooseDriver()));
  try {
    await writeFile(path + holderSuffix, `${holder}\n`);
    await removeDumps(path);
    await migrate(connection, path);
    return makeStore(connection, path);
  } catch (cause) {
    connection.close();
    throw cause instanceof OtaError ? cause : unreadable(path, cause);
  }
}

async function openConnection(path: string, driver: SqliteDriver): Promise<Connection> {
  try {
    // The folder is private because of the device reports in it. Tokens are stored only as hashes.
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // The database file is private even if a reverse proxy may read the blobs. SQLite gives its journal the same permissions.
    await (await open(path, 'a', 0o600)).close();
    return new Connection(path, driver);
  } catch (cause) {
    if (codeOf(cause) !== 'SQLITE_BUSY') throw unreadable(path, cause);
    const holder = await readFile(path + holderSuffix, 'utf8').catch(() => undefined);
    throw new OtaError('SERVER_DATA_IN_USE', { path, holder: holder?.trim() }, cause);
  }
}

/** Removes copies left behind by a backup that was killed. */
async function removeDumps(path: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if (name.startsWith(basename(path) + dumpSuffix)) await rm(join(folder, name));
  }
}

function makeStore(connection: Connection, path: string): Store {
  const journal = new JournalFlush(path);
  const committer = new Committer(connection, journal);
  const projects = projectIds(connection);
  const releases = releaseReader(connection);
  const { db } = connection;
  return {
    catalog: sqliteCatalog(connection, committer, projects, releases),
    devices: sqliteDevices(connection, committer, projects),
    rollouts: sqliteRollouts(connection, committer, projects, releases),
    tokens: sqliteTokens(connection, committer),
    audit: sqliteAudit(connection),

    async servedMs() {
      const query = db.selectFrom('meta').select('value').where('key', '=', 'served-ms');
      const row = await query.executeTakeFirst();
      return Number(row?.value ?? 0);
    },

    setServedMs: (servedMs) =>
      committer.write('group', () => {
        const row = { key: 'served-ms', value: String(Math.floor(servedMs)) };
        connection.run(db.replaceInto('meta').values(row));
      }),

    dump: () => {
      committer.commit();
      return dumpTables(connection, path + dumpSuffix + randomBytes(4).toString('hex'));
    },

    restore: (lines) =>
      committer.write('sync', () => {
        for (const line of lines) restoreRow(connection, line);
      }),

    async close() {
      committer.commit();
      await journal.close();
      connection.close();
      await rm(path + holderSuffix, { force: true });
    },
  };
}

function unreadable(path: string, cause: unknown): OtaError {
  const reason = codeOf(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  return new OtaError('SERVER_DATA_UNREADABLE', { path, reason }, cause);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
