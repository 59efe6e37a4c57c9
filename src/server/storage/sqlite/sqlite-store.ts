import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { folderBlobs } from '../blobs/folder-blobs.ts';
import type { Store } from '../store.ts';
import { sqliteAudit } from './audit.ts';
import { sqliteCatalog } from './catalog.ts';
import { Committer } from './committer.ts';
import { Connection } from './connection.ts';
import { tellAll } from './device-lists.ts';
import { sqliteDevices } from './devices.ts';
import { chooseDriver } from './drivers/choose.ts';
import type { SqliteDriver } from './drivers/driver.ts';
import { dumpTables, restoreRow } from './dump.ts';
import { JournalFlush } from './journal-flush.ts';
import { migrate, newestLayout } from './migrations.ts';
import { projectIds } from './project-ids.ts';
import { releaseReader } from './releases.ts';
import { sqliteRollouts } from './rollouts.ts';
import { sqliteTokens } from './tokens.ts';

const databaseFile = 'ota.db';
const holderFile = 'holder.txt';
const dumpPrefix = 'dump-';

/**
 * Opens the data of a server: a SQLite database and a folder of blobs.
 *
 * @param folder folder of the data; created if missing
 * @param holder line about this process, shown to another process that tries to open the folder
 * @param driver SQLite driver; by default the one that suits this Node.js
 * @throws OtaError SQLITE_MISSING, SERVER_DATA_IN_USE, SERVER_DATA_NEWER, SERVER_DATA_UNREADABLE
 */
export async function openSqliteStore(folder: string, holder: string, driver?: SqliteDriver): Promise<Store> {
  const connection = await openConnection(folder, driver ?? (await chooseDriver()));
  try {
    await writeFile(join(folder, holderFile), `${holder}\n`);
    // Remove copies left by a backup that was killed.
    for (const name of await readdir(folder)) if (name.startsWith(dumpPrefix)) await rm(join(folder, name));
    const found = migrate(connection);
    if (found > newestLayout) throw new OtaError('SERVER_DATA_NEWER', { path: folder, found, known: newestLayout });
    return await makeStore(connection, folder);
  } catch (cause) {
    connection.close();
    throw cause instanceof OtaError ? cause : unreadable(folder, cause);
  }
}

async function openConnection(folder: string, driver: SqliteDriver): Promise<Connection> {
  try {
    // Tokens are stored as hashes, but the reports of devices are private too.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // The database file is private although a web server in front may read the blobs; SQLite gives its journal the same permissions.
    await (await open(join(folder, databaseFile), 'a', 0o600)).close();
    return new Connection(join(folder, databaseFile), driver);
  } catch (cause) {
    if (codeOf(cause) !== 'SQLITE_BUSY') throw unreadable(folder, cause);
    const holder = await readFile(join(folder, holderFile), 'utf8').catch(() => undefined);
    throw new OtaError('SERVER_DATA_IN_USE', { path: folder, holder: holder?.trim() }, cause);
  }
}

async function makeStore(connection: Connection, folder: string): Promise<Store> {
  const journal = new JournalFlush(join(folder, databaseFile));
  const committer = new Committer(connection, journal);
  const projects = projectIds(connection);
  const releases = releaseReader(connection);
  const { sql } = connection;
  return {
    catalog: sqliteCatalog(connection, committer, projects, releases),
    devices: sqliteDevices(connection, committer, projects),
    rollouts: sqliteRollouts(connection, committer, projects, releases),
    tokens: sqliteTokens(connection, committer),
    audit: sqliteAudit(connection),
    blobs: await folderBlobs(folder),

    async servedMs() {
      const row = connection.first(sql.selectFrom('meta').select('value').where('key', '=', 'served-ms'));
      return Number(row?.value ?? 0);
    },

    setServedMs: (servedMs) =>
      committer.write('soon', () => {
        const row = { key: 'served-ms', value: String(Math.floor(servedMs)) };
        connection.run(sql.replaceInto('meta').values(row));
      }),

    dump: () => {
      committer.commit();
      return dumpTables(connection, join(folder, `${dumpPrefix}${randomBytes(4).toString('hex')}.db`));
    },

    async restore(lines) {
      connection.execute('BEGIN IMMEDIATE');
      try {
        for await (const line of lines) restoreRow(connection, line);
        tellAll(connection);
        connection.execute('COMMIT');
      } catch (error) {
        if (connection.inTransaction) connection.execute('ROLLBACK');
        throw error;
      }
    },

    async close() {
      committer.commit();
      await journal.close();
      connection.close();
      await rm(join(folder, holderFile), { force: true });
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
