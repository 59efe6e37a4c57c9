import { rowProblem } from '../document-schemas.ts';
import { Connection } from '../sqlite/connection.ts';
import type { SqliteDriver } from '../sqlite/drivers/driver.ts';
import { identityKey, jsonRow, restoreRow } from '../sqlite/dump.ts';
import { migrate } from '../sqlite/migrate.ts';
import { tableNames } from '../sqlite/tables.ts';
import type { RowRepair } from './row-repairs.ts';
import { readableRows, rowName } from './table-rows.ts';

/**
 * Creates a new database from all sound rows of a damaged database. The new database has no identity.
 *
 * @param damaged path of a copy of the damaged database, and the repairs of its rows
 * @returns messages about the dropped and changed rows
 * @throws a SQLite error if the file is not a database at all
 */
export async function rebuildDatabase(
  { path, repairs }: { readonly path: string; readonly repairs: readonly RowRepair[] },
  newPath: string,
  driver: SqliteDriver,
): Promise<readonly string[]> {
  const changes: string[] = [];
  const repairOf = new Map(repairs.map((repair) => [repair.name, repair]));
  const from = new Connection(path, driver);
  try {
    const to = new Connection(newPath, driver);
    try {
      await migrate(to, newPath);
      to.transaction(() => {
        for (const table of tableNames) copyRows({ from, to, repairOf }, table, changes);
      });
    } finally {
      to.close();
    }
  } finally {
    from.close();
  }
  return changes;
}

interface Copy {
  readonly from: Connection;
  readonly to: Connection;
  readonly repairOf: ReadonlyMap<string, RowRepair>;
}

function copyRows({ from, to, repairOf }: Copy, table: (typeof tableNames)[number], changes: string[]): void {
  const unreadable = (message: string) => void changes.push(`Dropped the unreadable rows of ${table}: ${message}`);
  for (const row of readableRows(from, table, unreadable)) {
    if (table === 'meta' && row['key'] === identityKey) continue;
    const name = rowName(table, row);
    const repair = repairOf.get(name);
    if (repair !== undefined) changes.push(repair.change);
    const json = repair === undefined ? jsonRow(row) : repair.row;
    if (json === undefined) continue;
    const problem =
      rowProblem(table, json) ?? insertionProblem(() => to.nested(() => restoreRow(to, { table, row: json })));
    if (problem !== undefined) changes.push(`Dropped ${name}: ${problem}`);
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
