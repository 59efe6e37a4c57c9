import { sql, type Transaction } from 'kysely';
import { rowProblem, webhookProblem } from '../document-schemas.ts';
import { completeRestore, restoreAlike } from '../sql/dump.ts';
import { sqliteEngine, sqliteTables } from '../sql/engines/sqlite.ts';
import { migrate } from '../sql/migrate.ts';
import { Connection } from '../sql/sqlite/connection.ts';
import type { SqliteDriver } from '../sql/sqlite/drivers/driver.ts';
import { identityKey } from '../sql/store-facts.ts';
import { type TableName, type Tables, tableNames, type WebhookTable } from '../sql/tables.ts';
import type { DumpLine } from '../store.ts';
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
      const engine = sqliteEngine({ connection: to, path: newPath, copyPath: newPath, close: async () => to.close() });
      await migrate(engine);
      await engine.transaction(async (db) => {
        for (const table of tableNames) await copyRows({ from, to: db, repairOf }, table, changes);
        await copyWebhooks(from, db, changes);
        await completeRestore(db);
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
  readonly to: Transaction<Tables>;
  readonly repairOf: ReadonlyMap<string, RowRepair>;
}

async function copyRows({ from, to, repairOf }: Copy, table: TableName, changes: string[]): Promise<void> {
  const unreadable = (message: string) => void changes.push(`Dropped the unreadable rows of ${table}: ${message}`);
  for (const row of readableRows(from, table, unreadable)) {
    if (table === 'meta' && row['key'] === identityKey) continue;
    const name = rowName(table, row);
    const repair = repairOf.get(name);
    if (repair !== undefined) changes.push(repair.change);
    const kept = repair === undefined ? row : repair.row;
    if (kept === undefined) continue;
    // `rowProblem` checks the types of the values.
    const problem =
      rowProblem(table, kept) ??
      (await insertionProblem(to, () => restoreAlike(to, [{ table, row: kept as DumpLine['row'] }])));
    if (problem !== undefined) changes.push(`Dropped ${name}: ${problem}`);
  }
}

/** Copies the webhooks and their queue, so that a repair loses no event. A database of an earlier version has no webhooks. */
async function copyWebhooks(from: Connection, to: Transaction<Tables>, changes: string[]): Promise<void> {
  const found = await sqliteTables(from.db);
  for (const table of ['webhooks', 'webhook_deliveries'] as const satisfies WebhookTable[]) {
    if (!found.includes(table)) continue;
    const unreadable = (message: string) => void changes.push(`Dropped the unreadable rows of ${table}: ${message}`);
    for (const row of readableRows(from, table, unreadable)) {
      // `webhookProblem` checks the values.
      const insert = () =>
        to
          .insertInto(table)
          .values(row as never)
          .execute();
      const problem = webhookProblem(table, row) ?? (await insertionProblem(to, insert));
      if (problem !== undefined) changes.push(`Dropped ${rowName(table, row)}: ${problem}`);
    }
  }
}

/** Inserts a row. A row that the database rejects leaves the transaction unchanged. */
async function insertionProblem(db: Transaction<Tables>, insert: () => Promise<unknown>): Promise<string | undefined> {
  await sql`SAVEPOINT one_row`.execute(db);
  try {
    await insert();
    return undefined;
  } catch (error) {
    await sql`ROLLBACK TO one_row`.execute(db);
    return error instanceof Error ? error.message : String(error);
  } finally {
    await sql`RELEASE one_row`.execute(db);
  }
}
