import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Database, Engine } from '../engine.ts';
import { ownMigrations } from '../migrate.ts';
import type { Tables } from '../tables.ts';

let needed: ReadonlySet<string> | undefined;

/**
 * Returns a column or index of a new database that this database lacks. More columns and tables are allowed, because a newer version may
 * have added them. Undefined if the user may not create temporary tables, with which the tables are compared.
 *
 * @param db transaction that has applied all migrations
 */
export async function missingPostgresPart(db: Database, columns: Engine['columns']): Promise<string | undefined> {
  // The parts of a new database are the same for all databases of this process.
  needed ??= await partsOfNewTables(db, columns);
  const found = await partsOf(db, sql`(SELECT oid FROM pg_namespace WHERE nspname = current_schema())`);
  return [...(needed ?? [])].find((part) => !found.has(part));
}

/** Makes all tables once more as temporary tables, and removes them again. */
async function partsOfNewTables(db: Database, columns: Engine['columns']): Promise<ReadonlySet<string> | undefined> {
  await sql`SAVEPOINT needed_parts`.execute(db);
  try {
    await sql`SET LOCAL search_path TO pg_temp`.execute(db);
    for (const { up } of Object.values(ownMigrations)) await up(db as Transaction<Tables>, columns);
    return await partsOf(db, sql`pg_my_temp_schema()`);
  } catch (error) {
    if (Object(error).code === insufficientPrivilege) return undefined;
    throw error;
  } finally {
    await sql`ROLLBACK TO SAVEPOINT needed_parts`.execute(db);
  }
}

const insufficientPrivilege = '42501';

async function partsOf(db: Database, schema: RawBuilder<unknown>): Promise<ReadonlySet<string>> {
  // The names of indexes that belong to constraints are chosen by PostgreSQL.
  const query = sql<{ part: string }>`
    SELECT 'the column ' || c.relname || '.' || a.attname AS part
      FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = ${schema} AND c.relkind = 'r'
    UNION ALL
    SELECT 'the index ' || c.relname FROM pg_class AS c
      WHERE c.relnamespace = ${schema} AND c.relkind = 'i'
        AND NOT EXISTS (SELECT FROM pg_constraint AS p WHERE p.conindid = c.oid)`;
  return new Set((await query.execute(db)).rows.map(({ part }) => part));
}
