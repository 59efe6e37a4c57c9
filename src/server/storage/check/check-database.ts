import { sql } from 'kysely';
import { OtaError } from '../../../errors/ota-error.ts';
import { dataError } from '../data-error.ts';
import { countDifferences } from '../sql/count-checks.ts';
import { sqliteTables } from '../sql/engines/sqlite.ts';
import { isMigrated, unusableMigration } from '../sql/migrate.ts';
import { Connection } from '../sql/sqlite/connection.ts';
import type { SqliteDriver } from '../sql/sqlite/drivers/driver.ts';
import { tableNames } from '../sql/tables.ts';
import type { DataIdentity, MemberOf } from '../store.ts';
import { checkRow, type Found, isUsable, mostReported, noFindings, note } from './check-rows.ts';
import type { DataReport } from './findings.ts';
import type { RelatedRecords } from './related-records.ts';
import { readableRows } from './table-rows.ts';

/** Result of checking a database. */
export interface DatabaseReport extends Pick<DataReport, 'problems' | 'records' | 'repairs'> {
  readonly identity: DataIdentity | undefined;
  /** Releases that refer to each blob, as text such as `door 1.0`. */
  readonly blobs: ReadonlyMap<string, string>;
  /** All records, to compare with the firmware files; undefined if some of them cannot be used. */
  readonly related: RelatedRecords | undefined;
}

/**
 * Reads all rows of a database.
 *
 * @param path path of a copy of the database, because opening one changes its files
 */
export async function checkDatabase(path: string, driver: SqliteDriver, memberOf: MemberOf): Promise<DatabaseReport> {
  const found = noFindings();
  let connection: Connection | undefined;
  try {
    connection = new Connection(path, driver);
    await readAll(connection, found);
    if (isUsable(found)) await checkCounts(connection, memberOf, found);
  } catch (error) {
    const known = dataError(path, error);
    if (!(known instanceof OtaError)) throw error;
    note(found, { kind: 'database-damaged', message: known.message.replace(/^.* cannot be used: /, '') });
  } finally {
    connection?.close();
  }
  if (!isUsable(found)) return { ...found, related: undefined };
  for (const contradiction of found.related.contradictions()) note(found, contradiction);
  return found;
}

async function readAll(connection: Connection, found: Found): Promise<void> {
  const unknown = await unusableMigration(connection.db, await sqliteTables(connection.db));
  if (unknown !== undefined) {
    const message = `the database has the migration ${unknown}, which requires a newer version of ota-hooks`;
    return note(found, { kind: 'database-newer', message });
  }
  checkPages(connection, found);
  checkConnections(connection, found);
  for (const table of tableNames) {
    for (const row of readableRows(connection, table, (message) => damagedTable(found, table, message))) {
      checkRow(found, table, row);
    }
  }
}

function checkPages(connection: Connection, found: Found): void {
  const query = sql<{ integrity_check: string }>`PRAGMA integrity_check(${sql.raw(String(mostReported))})`;
  for (const { integrity_check: text } of connection.all({ compile: () => query.compile(connection.db) })) {
    if (text !== 'ok') note(found, { kind: 'database-damaged', message: text.replaceAll('\n', ' ') });
  }
}

function checkConnections(connection: Connection, found: Found): void {
  const query = sql<{ table: string; parent: string }>`PRAGMA foreign_key_check`;
  const rows = connection.all({ compile: () => query.compile(connection.db) });
  const counts = new Map<string, number>();
  for (const { table, parent } of rows) {
    const key = `${table} without their ${parent}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const [key, count] of counts) note(found, { kind: 'record-unconnected', message: `${count} rows of ${key}` });
}

/** Compares the kept counts with the devices. A database of an earlier version may lack some of the counts until a server migrates it. */
async function checkCounts({ db }: Connection, memberOf: MemberOf, found: Found): Promise<void> {
  if (!(await isMigrated(db, await sqliteTables(db)))) return;
  for (const message of await countDifferences(db, memberOf)) note(found, { kind: 'count-mismatch', message });
}

function damagedTable(found: Found, table: string, message: string): void {
  note(found, { kind: 'database-damaged', message: `some rows of ${table} cannot be read: ${message}` });
}
