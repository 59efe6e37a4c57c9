import { DEFAULT_MIGRATION_TABLE, type Migration, Migrator } from 'kysely';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Connection } from './connection.ts';
import { firstTables } from './migrations/0001-first-tables.ts';

/** Migrations by name, in name order. Never change a released migration. The imports are static because the code is bundled. */
const ownMigrations = {
  '0001-first-tables': firstTables,
} as const satisfies Record<string, Migration>;

/**
 * Applies pending migrations in one transaction.
 *
 * @param path database path for error messages
 * @throws OtaError SERVER_DATA_NEWER if the database has a migration that this version does not include; nothing is changed in that case
 */
export async function migrate(
  connection: Connection,
  path: string,
  migrations: Readonly<Record<string, Migration>> = ownMigrations,
): Promise<void> {
  const known = Object.keys(migrations);
  const found = (await appliedMigrations(connection)).filter((name) => !known.includes(name)).at(-1);
  if (found !== undefined) throw new OtaError('SERVER_DATA_NEWER', { path, found, known: known.at(-1) ?? 'none' });
  const provider = { getMigrations: async () => migrations };
  const { error } = await new Migrator({ db: connection.db, provider }).migrateToLatest();
  if (error !== undefined) throw error;
}

/** Returns the newest migration of a database that this version does not include; undefined if it includes all of them. */
export async function unknownMigration(connection: Connection): Promise<string | undefined> {
  return (await appliedMigrations(connection)).filter((name) => !(name in ownMigrations)).at(-1);
}

/** Returns the names in the Migrator's table. Kysely's own `getMigrations()` returns only the migrations in the code. */
async function appliedMigrations({ db }: Connection): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return [];
  const query = db.withTables<{ kysely_migration: { name: string } }>().selectFrom(DEFAULT_MIGRATION_TABLE);
  return (await query.select('name').orderBy('name').execute()).map(({ name }) => name);
}
