import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { sql, type Transaction } from 'kysely';
import type { Database, Durability, Engine } from '../engine.ts';
import { startLead } from '../lead.ts';
import { Connection } from '../sqlite/connection.ts';
import { removeDatabase } from '../sqlite/database-files.ts';
import type { Tables } from '../tables.ts';

interface OpenDatabase {
  readonly connection: Connection;
  readonly path: string;
  /** Path for a temporary copy, without a random suffix. */
  readonly copyPath: string;
  readonly close: () => Promise<void>;
}

/** SQLite: one process, one connection, and a queue in which transactions wait for each other. */
export function sqliteEngine({ connection, path, copyPath, close }: OpenDatabase): Engine {
  const { db, driver } = connection;
  const opened = statSync(path, { throwIfNoEntry: false });
  return {
    db,
    health: db,
    location: path,
    columns: {
      text: 'text',
      integer: 'integer',
      assigned: (column) => column.primaryKey(),
      tableOptions: { assigned: sql`STRICT`, keyed: sql`STRICT, WITHOUT ROWID` },
    },
    hasRowLocks: false,
    like: 'like',
    // There are no other processes.
    notices: { send: () => undefined, subscribe: () => () => undefined },
    indexedBy: (index) => sql`INDEXED BY ${sql.ref(index)}`,
    nowMs: () => sql<number>`${Date.now()}`,
    prepareRow: (query) => (parameters) => connection.first(query.sql, parameters),
    prepareChange: (query) => (parameters) => connection.change(query.sql, parameters),
    transaction: (work, durability = 'power-failure') => inTransaction(db, work, durability),
    schemaTransaction: (work) => db.transaction().execute(work),
    longTransaction: (work) => db.transaction().execute(work),
    tables: sqliteTables,
    // There is only one transaction at a time.
    lock: async () => undefined,
    async snapshot() {
      const copy = `${copyPath}${randomBytes(4).toString('hex')}`;
      await sql`VACUUM INTO ${sql.lit(copy)}`.execute(db);
      const opened = new Connection(copy, driver);
      return {
        db: opened.db,
        async end() {
          opened.close();
          await removeDatabase(copy);
        },
      };
    },
    // New IDs follow the largest existing one.
    afterRestore: async () => undefined,
    async isInPlace() {
      const found = await stat(path).catch(() => undefined);
      return found !== undefined && found.ino === opened?.ino && found.dev === opened.dev;
    },
    async flush() {
      await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(db);
    },
    lead(work) {
      const held = { lost: new AbortController().signal, release: async () => undefined };
      return startLead(async () => held, work);
    },
    close,
  };
}

/**
 * Runs a transaction. A wait for the disk takes 5 ms, during which the process responds to no device. With a wait for each change by a device,
 * the server sent 107 downloads of 470 KB per second instead of 566 (bench/README.md).
 */
function inTransaction<Result>(
  db: Database,
  work: (db: Transaction<Tables>) => Promise<Result>,
  durability: Durability,
): Promise<Result> {
  if (durability === 'power-failure') return db.transaction().execute(work);
  return db.connection().execute(async (connection) => {
    await sql`PRAGMA synchronous = NORMAL`.execute(connection);
    try {
      return await connection.transaction().execute(work);
    } finally {
      await sql`PRAGMA synchronous = FULL`.execute(connection);
    }
  });
}

/** Returns the names of the tables in a database. */
export async function sqliteTables(db: Database): Promise<readonly string[]> {
  const query = sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`;
  return (await query.execute(db)).rows.map(({ name }) => name);
}
