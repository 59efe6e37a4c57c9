import { OtaError } from '../../../errors/ota-error.ts';
import { toolVersion } from '../../../version.ts';
import type { Database, Engine } from './engine.ts';
import { firstTables } from './migrations/0001-first-tables.ts';
import { blockers } from './migrations/0002-blockers.ts';
import { webhooks } from './migrations/0003-webhooks.ts';
import { memberLists } from './migrations/0005-member-lists.ts';
import { labelsAndPace } from './migrations/0007-labels-and-pace.ts';
import { rolloutResults } from './migrations/0010-rollout-results.ts';
import { notEnrolled } from './migrations/0013-not-enrolled.ts';
import { releaseNotes } from './migrations/0016-release-notes.ts';
import { boardAndRelease } from './migrations/0020-board-and-release.ts';
import { versionSamples } from './migrations/0021-version-samples.ts';
import { fillBoardAndRelease } from './migrations/0022-fill-board-and-release.ts';
import type { SchemaMigration } from './schema-migration.ts';

type Migrations = Readonly<Record<string, SchemaMigration>>;

/**
 * Migrations by name, in name order. Never change a migration that others may have run: `test/server/storage/schemas.test.ts` compares each
 * one with its record. The imports are static because the code is bundled.
 */
export const ownMigrations: Migrations = {
  '0001-first-tables': firstTables,
  '0002-blockers': blockers,
  '0003-webhooks': webhooks,
  '0005-member-lists': memberLists,
  '0007-labels-and-pace': labelsAndPace,
  '0010-rollout-results': rolloutResults,
  '0013-not-enrolled': notEnrolled,
  '0016-release-notes': releaseNotes,
  '0020-board-and-release': boardAndRelease,
  '0021-version-samples': versionSamples,
  '0022-fill-board-and-release': fillBoardAndRelease,
};

/** Version of this program. A program that runs from its sources has the oldest version that can use its own data. */
const programVersion =
  toolVersion === '0.0.0-source' ? (Object.values(ownMigrations).at(-1)?.oldestProgram ?? toolVersion) : toolVersion;

const migrationsTable = 'ota_hooks_migrations';

interface AppliedMigration {
  readonly name: string;
  readonly oldest_program: string;
}

/**
 * Applies pending migrations in one transaction, while no other process migrates the database. A database with migrations of a newer version
 * is used as it is, unless one of them requires a newer program. A migration counts as applied only if the tables fit afterwards.
 *
 * @throws OtaError SERVER_DATA_NEWER if the program is too old, SERVER_DATABASE_FOREIGN if the tables belong to another program,
 *   SERVER_TABLES_UNFIT if the tables are not those that the migrations make; nothing is changed in any of these cases
 */
export async function migrate(
  engine: Pick<Engine, 'schemaTransaction' | 'lock' | 'tables' | 'columns' | 'location' | 'missingPart'>,
  migrations: Migrations = ownMigrations,
  program = programVersion,
): Promise<void> {
  await engine.schemaTransaction(async (db) => {
    await engine.lock(db, 'migrations');
    const tables = await engine.tables(db);
    const isNew = !tables.includes(migrationsTable);
    if (isNew) await createTable(db, engine, tables);
    const applied = isNew ? [] : await appliedMigrations(db);
    const newer = unknownTo(applied, migrations);
    const required = newer.find(({ oldest_program }) => isOlder(program, oldest_program));
    if (required !== undefined) {
      const { name: found, oldest_program } = required;
      throw new OtaError('SERVER_DATA_NEWER', { path: engine.location, found, oldest: oldest_program, program });
    }
    const known = new Set(applied.map(({ name }) => name));
    const pending = Object.entries(migrations).filter(([name]) => newer.length === 0 && !known.has(name));
    const table = db.withTables<{ [migrationsTable]: AppliedMigration }>();
    for (const [name, { oldestProgram, up }] of pending) {
      await up(db, engine.columns).catch((cause: unknown) => {
        throw unfitError(cause, engine.location, name);
      });
      await table.insertInto(migrationsTable).values({ name, oldest_program: oldestProgram }).execute();
    }
    const missing = migrations === ownMigrations ? await engine.missingPart?.(db) : undefined;
    if (missing !== undefined) {
      throw new OtaError('SERVER_TABLES_UNFIT', { path: engine.location, reason: `it lacks ${missing}` });
    }
  });
}

/**
 * Returns an error for users if a statement of a migration does not fit the tables: the database was made by a version whose migrations were
 * different, such as an unreleased one.
 */
function unfitError(cause: unknown, path: string, name: string): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  // SQLite's code for statements that do not fit, and the class of the same errors in PostgreSQL.
  if (!(cause instanceof Error) || (code !== 'SQLITE_ERROR' && !/^42[0-9A-Z]{3}$/.test(code))) return cause;
  return new OtaError('SERVER_TABLES_UNFIT', { path, reason: `${name}: ${cause.message}` }, cause);
}

/** Returns the migrations that `migrate` would apply to a database that was migrated before; empty for a new one. */
export async function pendingMigrations(engine: Pick<Engine, 'db' | 'tables'>): Promise<readonly string[]> {
  if (!(await engine.tables(engine.db)).includes(migrationsTable)) return [];
  const applied = await appliedMigrations(engine.db);
  if (unknownTo(applied, ownMigrations).length > 0) return [];
  const known = new Set(applied.map(({ name }) => name));
  return Object.keys(ownMigrations).filter((name) => !known.has(name));
}

/**
 * Returns the first migration of a database that requires a newer program; undefined if this program can use the data.
 *
 * @param tables names of the tables in the database
 */
export async function unusableMigration(db: Database, tables: readonly string[]): Promise<string | undefined> {
  if (!tables.includes(migrationsTable)) return undefined;
  const newer = unknownTo(await appliedMigrations(db), ownMigrations);
  return newer.find(({ oldest_program }) => isOlder(programVersion, oldest_program))?.name;
}

/** Returns whether all migrations of this program were applied. */
export async function isMigrated(db: Database, tables: readonly string[]): Promise<boolean> {
  if (!tables.includes(migrationsTable)) return false;
  const applied = new Set((await appliedMigrations(db)).map(({ name }) => name));
  return Object.keys(ownMigrations).every((name) => applied.has(name));
}

function unknownTo(applied: readonly AppliedMigration[], migrations: Migrations): readonly AppliedMigration[] {
  return applied.filter(({ name }) => !(name in migrations));
}

async function appliedMigrations(db: Database): Promise<readonly AppliedMigration[]> {
  const query = db.withTables<{ [migrationsTable]: AppliedMigration }>().selectFrom(migrationsTable);
  return query.select(['name', 'oldest_program']).orderBy('name').execute();
}

/** @param tables names of the tables in the database, which belong to another program */
async function createTable(
  db: Database,
  { columns, location }: Pick<Engine, 'columns' | 'location'>,
  tables: readonly string[],
): Promise<void> {
  const [table] = tables;
  if (table !== undefined) throw new OtaError('SERVER_DATABASE_FOREIGN', { path: location, table });
  const { text, tableOptions } = columns;
  const created = db.schema
    .createTable(migrationsTable)
    .addColumn('name', text, (column) => column.primaryKey())
    .addColumn('oldest_program', text, (column) => column.notNull());
  await (tableOptions === undefined ? created : created.modifyEnd(tableOptions.keyed)).execute();
}

/** Compares two versions by their numbers. */
function isOlder(program: string, oldest: string): boolean {
  const [own, other] = [numbersOf(program), numbersOf(oldest)];
  const at = own.findIndex((number, index) => number !== other[index]);
  return at >= 0 && (own[at] ?? 0) < (other[at] ?? 0);
}

function numbersOf(version: string): readonly number[] {
  return version.split('-', 1).join().split('.').map(Number);
}
