import { sql } from 'kysely';
import type { Database } from '../engine.ts';
import { sqliteEngine } from '../engines/sqlite.ts';
import { migrate } from '../migrate.ts';
import { Connection } from './connection.ts';
import type { SqliteDriver } from './drivers/driver.ts';

let needed: Promise<ReadonlySet<string>> | undefined;

/**
 * Returns a column or index of a new database that this database lacks. More columns and tables are allowed, because a newer version may
 * have added them.
 */
export async function missingPart(db: Database, driver: SqliteDriver): Promise<string | undefined> {
  // The parts of a new database are the same for all databases of this process.
  needed ??= partsOfNewDatabase(driver);
  const found = await partsOf(db);
  return [...(await needed)].find((part) => !found.has(part));
}

async function partsOfNewDatabase(driver: SqliteDriver): Promise<ReadonlySet<string>> {
  const path = ':memory:';
  const connection = new Connection(path, driver);
  const engine = sqliteEngine({ connection, path, copyPath: path, close: async () => undefined });
  try {
    await migrate({ ...engine, missingPart: undefined });
    return await partsOf(engine.db);
  } finally {
    connection.close();
  }
}

async function partsOf(db: Database): Promise<ReadonlySet<string>> {
  const columns = sql<{ part: string }>`SELECT 'the column ' || m.name || '.' || c.name AS part
    FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'`;
  const indexes = sql<{ part: string }>`SELECT 'the index ' || name AS part FROM sqlite_master
    WHERE type = 'index' AND sql IS NOT NULL`;
  const rows = [...(await columns.execute(db)).rows, ...(await indexes.execute(db)).rows];
  return new Set(rows.map(({ part }) => part));
}
