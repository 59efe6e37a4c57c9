import { rowProblem } from '../document-schemas.ts';
import { Connection } from '../sqlite/connection.ts';
import type { SqliteDriver } from '../sqlite/drivers/driver.ts';
import { identityKey, jsonRow, restoreRow } from '../sqlite/dump.ts';
import { migrate } from '../sqlite/migrate.ts';
import { tableNames } from '../sqlite/tables.ts';
import { readableRows, rowName } from './table-rows.ts';

/**
 * Creates a new database from all sound rows of a damaged database. The new database has no identity.
 *
 * @param path path of a copy of the damaged database
 * @returns messages about the dropped rows
 * @throws a SQLite error if the file is not a database at all
 */
export async function rebuildDatabase(path: string, newPath: string, driver: SqliteDriver): Promise<readonly string[]> {
  const dropped: string[] = [];
  const from = new Connection(path, driver);
  try {
    const to = new Connection(newPath, driver);
    try {
      await migrate(to, newPath);
      to.transaction(() => {
        for (const table of tableNames) copyRows(from, to, table, dropped);
      });
    } finally {
      to.close();
    }
  } finally {
    from.close();
  }
  return dropped;
}

function copyRows(from: Connection, to: Connection, table: (typeof tableNames)[number], dropped: string[]): void {
  const unreadable = (message: string) => void dropped.push(`Dropped the unreadable rows of ${table}: ${message}`);
  for (const row of readableRows(from, table, unreadable)) {
    if (table === 'meta' && row['key'] === identityKey) continue;
    const json = jsonRow(row);
    const problem =
      rowProblem(table, json) ?? insertionProblem(() => to.nested(() => restoreRow(to, { table, row: json })));
    if (problem !== undefined) dropped.push(`Dropped ${rowName(table, row)}: ${problem}`);
  }
}

function insertionProblem(insert: () => void): string | undefined {
  try {
    insert();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
