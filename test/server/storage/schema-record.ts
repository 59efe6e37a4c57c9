import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { sqliteEngine } from '../../../src/server/storage/sql/engines/sqlite.ts';
import { migrate, ownMigrations } from '../../../src/server/storage/sql/migrate.ts';
import { Connection } from '../../../src/server/storage/sql/sqlite/connection.ts';
import type { SqliteDatabase, SqliteDriver } from '../../../src/server/storage/sql/sqlite/drivers/driver.ts';

const recordFolder = 'test/fixtures/server-data';
export const recordFile = `${recordFolder}/migrations.json`;

/** SHA-256 of the source of each migration, and of the fixture with the data after it. */
export type SchemaRecord = Readonly<Record<string, { readonly source: string; readonly fixture: string }>>;

/** Data from which all fixtures were made. */
export const firstFixture = '0001-first-tables';

export function fixtureOf(name: string): string {
  return `${recordFolder}/${name === firstFixture ? '0.1.0' : name}.sql`;
}

export async function sha256Of(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

export function sourceOf(name: string): string {
  return `src/server/storage/sql/migrations/${name}.ts`;
}

/** Returns the SQL of a database that has all migrations up to `names`, made from the first fixture. */
export async function migratedData(path: string, names: readonly string[], driver: SqliteDriver): Promise<string> {
  const database = driver.open(path);
  database.exec(await readFile(fixtureOf(firstFixture), 'utf8'));
  database.close();
  const connection = new Connection(path, driver);
  const engine = sqliteEngine({ connection, path, copyPath: path, close: async () => undefined });
  const migrations = Object.fromEntries(Object.entries(ownMigrations).filter(([name]) => names.includes(name)));
  await migrate(engine, migrations);
  connection.close();
  const migrated = driver.open(path);
  try {
    return dumpOf(migrated);
  } finally {
    migrated.close();
  }
}

function dumpOf(database: SqliteDatabase): string {
  const lines = (sql: string) =>
    database
      .prepare(sql)
      .all([])
      .map((row) => Object.values(Object(row)).map(String));
  const schema = lines(
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
  );
  const tables = lines(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  );
  const rows = tables.flatMap(([table = '']) => {
    const columns = lines(`SELECT name FROM pragma_table_info('${table}') ORDER BY cid`).map(
      ([name]) => `quote("${name}")`,
    );
    return lines(
      `SELECT 'INSERT INTO "${table}" VALUES (' || ${columns.join(" || ', ' || ")} || ')' AS line FROM "${table}" ORDER BY 1`,
    );
  });
  // Rows are in the order of the table names.
  return ['PRAGMA foreign_keys = OFF', ...[...schema, ...rows].flat()].map((line) => `${line};\n`).join('');
}
