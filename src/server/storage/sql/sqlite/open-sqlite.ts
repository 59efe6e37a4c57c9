import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sql } from 'kysely';
import { OtaError } from '../../../../errors/ota-error.ts';
import { codeOf, dataError } from '../../data-error.ts';
import type { Store } from '../../store.ts';
import { sqliteEngine } from '../engines/sqlite.ts';
import { migrate } from '../migrate.ts';
import { sqlStore } from '../sql-store.ts';
import { Connection } from './connection.ts';
import { copyBeforeUpgrade } from './copy-before-upgrade.ts';
import { chooseDriver } from './drivers/choose.ts';
import type { SqliteDriver } from './drivers/driver.ts';
import { missingPart } from './needed-parts.ts';

/** Suffixes of the files that are stored next to a database, in addition to SQLite's own files. */
const holderSuffix = '-holder.txt';
const journalSuffix = '-wal';
const dumpSuffix = '-dump-';

/** Exceptions for a database that appears to be lost, and what to do after an upgrade. */
export interface OpeningRules {
  /** True if a missing or empty database is created; otherwise it is an error. */
  readonly mayCreate?: boolean | undefined;
  /** True if a database whose journal is missing is opened, although its last changes are lost. */
  readonly acceptsLoss?: boolean | undefined;
  /** Called after a database was migrated, with the path of the copy that was made before. */
  readonly onUpgrade?: ((copy: string) => void) | undefined;
}

/**
 * Opens a SQLite database.
 *
 * @param path path to the database file; the file and its folder are created if they do not exist
 * @param holder description of this process in one line, shown to any other process that tries to open the database
 * @param driver SQLite driver; defaults to the one that suits this Node.js version
 * @throws OtaError SQLITE_MISSING, SERVER_DATA_IN_USE, SERVER_DATA_NEWER, SERVER_DATA_UNREADABLE, SERVER_DATABASE_FOREIGN, SERVER_DATABASE_LOST,
 *   SERVER_DATABASE_OLDER
 */
export async function openSqliteStore(
  path: string,
  holder: string,
  driver?: SqliteDriver,
  { mayCreate = true, acceptsLoss = false, onUpgrade }: OpeningRules = {},
): Promise<Store> {
  // SQLite would delete a journal whose database is missing.
  if (!mayCreate && !(await sizeOf(path))) throw new OtaError('SERVER_DATABASE_LOST', { path: dirname(path) });
  if (!acceptsLoss && (await hasLostJournal(path))) {
    throw new OtaError('SERVER_DATABASE_OLDER', { path: dirname(path), reason: 'journal' });
  }
  const connection = await openConnection(path, driver ?? (await chooseDriver()));
  try {
    await writeFile(path + holderSuffix, `${holder}\n`);
    await removeDumps(path);
    const engine = sqliteEngine({
      connection,
      path,
      copyPath: path + dumpSuffix,
      close: () => closeDatabase(connection, path),
    });
    const copy = await copyBeforeUpgrade(engine, path);
    const { driver: chosen } = connection;
    await migrate({ ...engine, missingPart: (db) => missingPart(db, chosen) });
    if (copy !== undefined) onUpgrade?.(copy);
    return sqlStore(engine);
  } catch (cause) {
    await closeDatabase(connection, path);
    throw dataError(path, cause);
  }
}

/**
 * Returns whether the journal of a database that was not closed is missing: the holder file exists from the moment the journal exists until
 * all data is in the database file. The journal is checked first, because a server that is stopping removes the holder file first.
 */
export async function hasLostJournal(path: string): Promise<boolean> {
  const hasJournal = (await sizeOf(path + journalSuffix)) !== undefined;
  return !hasJournal && (await sizeOf(path + holderSuffix)) !== undefined;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

async function openConnection(path: string, driver: SqliteDriver): Promise<Connection> {
  try {
    // The folder is private because of the device reports in it. Tokens are stored only as hashes.
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // The database file is private even if a reverse proxy may read the blobs. SQLite creates its journal with the same permissions.
    await (await open(path, 'a', 0o600)).close();
    return new Connection(path, driver);
  } catch (cause) {
    if (codeOf(cause) !== 'SQLITE_BUSY') throw dataError(path, cause);
    const holder = await readFile(path + holderSuffix, 'utf8').catch(() => undefined);
    throw new OtaError('SERVER_DATA_IN_USE', { path, holder: holder?.trim() }, cause);
  }
}

/** Closes the database. The holder file is removed only when the journal is no longer needed; see {@link hasLostJournal}. */
async function closeDatabase(connection: Connection, path: string): Promise<void> {
  const removeHolder = () => rm(path + holderSuffix, { force: true });
  try {
    await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(connection.db);
    await removeHolder();
  } catch {
    // The disk is full or no longer available: committed data stays in the journal.
  }
  connection.close();
  if ((await sizeOf(path + journalSuffix)) === undefined) await removeHolder().catch(() => undefined);
}

/** Removes copies left behind by a backup that was killed. */
async function removeDumps(path: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if (name.startsWith(basename(path) + dumpSuffix)) await rm(join(folder, name));
  }
}
