import type { ColumnDefinitionBuilder, CompiledQuery, Kysely, RawBuilder, Transaction } from 'kysely';
import type { Lead, Notices } from '../store.ts';
import type { Tables } from './tables.ts';

export type Database = Kysely<Tables>;

/** Differences between the database engines. All other code of the store is the same for both. */
export interface Engine {
  readonly db: Database;
  /** Connections for health checks, which do not wait for other statements if the engine has several connections. */
  readonly health: Database;
  /** Name of the database for error messages, without a password. */
  readonly location: string;
  readonly columns: ColumnTypes;
  /** Whether several processes may use the database, so that transactions lock the rows on which they depend. */
  readonly hasRowLocks: boolean;
  /** Operator that compares text with a pattern and ignores the case of ASCII letters. */
  readonly like: 'like' | 'ilike';
  readonly notices: Notices;
  /** Returns a hint after a table name that makes the engine use an index. */
  indexedBy(index: string): RawBuilder<unknown>;
  /** Returns the time of the database's clock as an SQL expression, in milliseconds since 1970. */
  nowMs(): RawBuilder<number>;
  /** Prepares a query that device requests run. It returns the first row. Its columns must not depend on the schema. */
  prepareRow<Row>(query: CompiledQuery<Row>): RunStatement<Row | undefined>;
  /** Prepares a change that device requests make, with the durability `crash`. It returns whether a row was changed. */
  prepareChange(query: CompiledQuery): RunStatement<boolean>;
  /**
   * Runs `work` in a transaction. The engine may roll it back and run `work` again, so `work` must have no other effects.
   *
   * @param durability what the commit survives at least; defaults to a power failure
   */
  transaction<Result>(work: (db: Transaction<Tables>) => Promise<Result>, durability?: Durability): Promise<Result>;
  /** Runs a transaction that changes tables, and that may take minutes. `work` may run again, as in `transaction`. */
  schemaTransaction<Result>(work: (db: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** Runs a transaction that may take minutes. `work` runs only once. */
  longTransaction<Result>(work: (db: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** Returns the names of the tables in the database. */
  tables(db: Database): Promise<readonly string[]>;
  /** Waits until no other transaction holds the lock with this name, and holds it until the end of this transaction. */
  lock(db: Database, name: string): Promise<void>;
  /** Opens a copy of all data as it is now, which later changes do not affect. */
  snapshot(): Promise<Snapshot>;
  /** Makes new rows get IDs after the restored ones, within the transaction of a restore. */
  afterRestore(db: Transaction<Tables>): Promise<void>;
  /**
   * Returns the name of a column or index that this program needs and the database lacks; undefined if nothing is missing. The code that
   * opens the database sets it, because the comparison itself uses an engine.
   */
  readonly missingPart?: ((db: Database) => Promise<string | undefined>) | undefined;
  /** Returns whether the database is still the one that was opened: SQLite keeps writing to a file that was removed or replaced. */
  isInPlace(): Promise<boolean>;
  /** Writes all earlier commits to their final place. */
  flush(): Promise<void>;
  lead(work: (signal: AbortSignal) => Promise<void>): Lead;
  close(): Promise<void>;
}

/** Runs a prepared statement with new parameters, outside of a transaction. */
export type RunStatement<Result> = (parameters: readonly unknown[]) => Promise<Result>;

/**
 * - power-failure: the commit is on the disk.
 * - crash: the commit survives a crash of the process. A power failure may lose it until the next commit that is on the disk, which follows
 *   within seconds.
 */
export type Durability = 'power-failure' | 'crash';

interface Snapshot {
  readonly db: Database;
  end(): Promise<void>;
}

/** Column types for migrations. Text is compared bytewise. */
export interface ColumnTypes {
  readonly text: 'text' | RawBuilder<unknown>;
  readonly integer: 'integer' | 'bigint';
  /** Completes an integer column to a primary key whose values the database assigns. */
  readonly assigned: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  /** Options at the end of a table definition, for a table with and without assigned IDs. */
  readonly tableOptions: { readonly assigned: RawBuilder<unknown>; readonly keyed: RawBuilder<unknown> } | undefined;
}
