import { type CompiledQuery, Kysely, sql, type Transaction } from 'kysely';
import type Pg from 'pg';
import type { Database, Engine } from '../engine.ts';
import { startLead } from '../lead.ts';
import { acquireLead } from '../postgres/advisory-lead.ts';
import { connectOnce } from '../postgres/connected.ts';
import { RollbackDialect } from '../postgres/dialect.ts';
import { postgresNotices } from '../postgres/notices.ts';
import { connectionSettings, openPool, type PoolKind } from '../postgres/pool.ts';
import { retried } from '../postgres/problems.ts';
import type { Tables } from '../tables.ts';

/** Tables whose IDs the database assigns. */
const assignedTables = ['projects', 'releases', 'promotions', 'rollouts', 'audit'] as const;

/**
 * PostgreSQL: any number of processes.
 *
 * @param location URL without a password
 * @throws OtaError DATABASE_URL_INVALID
 */
export function postgresEngine(pg: typeof Pg, url: string, location: string): Engine {
  const names = new Map<string, string>();
  const databaseOf = (kind: PoolKind) =>
    new Kysely<Tables>({ dialect: new RollbackDialect({ pool: openPool(pg, url, { kind, names }) }) });
  const keepPlan = (statement: string) => names.set(statement, `ota_hooks_${names.size}`);
  const db = databaseOf('statements');
  const transactions = databaseOf('transactions');
  const health = databaseOf('health');
  const long = databaseOf('long');
  const connect = () => connectOnce(pg, connectionSettings(pg, url, 'statements'));
  const notices = postgresNotices({
    channel: 'ota_hooks',
    connect,
    escapeIdentifier: pg.escapeIdentifier,
    async notify(channel, payload) {
      await sql`SELECT pg_notify(${channel}, ${payload})`.execute(db);
    },
  });
  return {
    db,
    health,
    location,
    columns: {
      text: sql`text COLLATE "C"`,
      integer: 'bigint',
      assigned: (column) => column.generatedByDefaultAsIdentity().primaryKey(),
      tableOptions: undefined,
    },
    hasRowLocks: true,
    like: 'ilike',
    notices,
    indexedBy: () => sql``,
    nowMs: () => sql<number>`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`,
    prepareRow<Row>(query: CompiledQuery<Row>) {
      keepPlan(query.sql);
      return async (parameters) => (await db.executeQuery<Row>({ ...query, parameters })).rows[0];
    },
    prepareChange(query) {
      keepPlan(query.sql);
      // A change may wait for a lock.
      return async (parameters) => (await transactions.executeQuery({ ...query, parameters })).numAffectedRows !== 0n;
    },
    transaction: (work) => inTransaction(transactions, work),
    schemaTransaction: (work) => inTransaction(long, work),
    longTransaction: (work) => long.transaction().execute(work),
    tables,
    async lock(any, name) {
      const key = sql`hashtextextended('ota-hooks ' || ${name}::text || current_schema(), 0)`;
      await sql`SELECT pg_advisory_xact_lock(${key})`.execute(any);
    },
    async snapshot() {
      const transaction = await long
        .startTransaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute();
      return {
        db: transaction,
        async end() {
          await transaction.rollback().execute();
        },
      };
    },
    async afterRestore(any) {
      for (const table of assignedTables) {
        const next = sql`(SELECT coalesce(max(id), 0) + 1 FROM ${sql.table(table)})`;
        await sql`SELECT setval(pg_get_serial_sequence(${table}, 'id'), ${next}, false)`.execute(any);
      }
    },
    isInPlace: async () => true,
    // A commit is durable.
    flush: async () => undefined,
    lead: (work) => startLead(() => acquireLead(connect), work),
    async close() {
      await notices.close();
      await Promise.all([db, transactions, health, long].map((each) => each.destroy()));
    },
  };
}

async function inTransaction<Result>(
  db: Database,
  work: (db: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  return retried(() => db.transaction().execute(work));
}

async function tables(db: Database): Promise<readonly string[]> {
  const query = sql<{ name: string }>`SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()`;
  return (await query.execute(db)).rows.map(({ name }) => name);
}
