import { type CompiledQuery, Kysely } from 'kysely';
import { type CheckedStatement, DriverDialect } from './dialect.ts';
import type { SqliteDatabase, SqliteDriver, SqliteValue } from './drivers/driver.ts';
import type { Tables } from './tables.ts';

/** Kysely query that can be compiled to SQL. */
interface Compilable<Row> {
  compile(): CompiledQuery<Row>;
}

/** Query that is prepared once and run many times with new values. */
export interface Prepared<Row> {
  first(...values: readonly SqliteValue[]): Row | undefined;
  all(...values: readonly SqliteValue[]): Row[];
  run(...values: readonly SqliteValue[]): number;
}

/**
 * Connection to a database that only this process uses. Kysely builds all queries and derives their types. There are two ways to run them:
 *
 * - Kysely's `execute()` is used for migrations, and for single-query reads that are not part of handling a device request.
 * - The methods of this class run a query synchronously. They are used for writes, because no other code in this process can run during a
 *   transaction with a synchronous callback, and for device requests, because a promise would cost more than the query.
 *
 * libsql ends the process if it receives a value of an unsupported type, such as a boolean or `undefined`. Therefore all values are checked
 * with {@link bindable}.
 */
export class Connection {
  readonly db = new Kysely<Tables>({ dialect: new DriverDialect((sql) => this.#statement(sql)) });
  readonly driver: SqliteDriver;
  readonly #database: SqliteDatabase;
  readonly #statements = new Map<string, CheckedStatement>();
  #isOpen = true;
  #flushesWithin = true;

  /**
   * Opens the file for exclusive use until it is closed or the process ends. The lock is held by the operating system and does not survive
   * a crash.
   *
   * @throws an error whose `code` begins with SQLITE_, such as SQLITE_BUSY if another process has the file open
   */
  constructor(path: string, driver: SqliteDriver) {
    this.driver = driver;
    this.#database = this.#honest(() => driver.open(path));
    try {
      this.execute('PRAGMA locking_mode = EXCLUSIVE');
      this.execute('PRAGMA journal_mode = WAL');
      // Acknowledged commits must survive a power failure.
      this.execute('PRAGMA synchronous = FULL');
      this.execute('PRAGMA foreign_keys = ON');
      this.execute('BEGIN EXCLUSIVE; COMMIT');
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Sets whether a commit flushes the journal itself or leaves the flush to the caller. Must be called outside transactions. */
  flushWithin(isWithin: boolean): void {
    if (isWithin === this.#flushesWithin) return;
    this.execute(`PRAGMA synchronous = ${isWithin ? 'FULL' : 'NORMAL'}`);
    this.#flushesWithin = isWithin;
  }

  /** Runs any number of statements without bound values. */
  execute(sql: string): void {
    this.#honest(() => this.#database.exec(sql));
  }

  first<Row>(query: Compilable<Row>): Row | undefined {
    const { sql, parameters } = query.compile();
    return this.#first(sql, parameters);
  }

  all<Row>(query: Compilable<Row>): Row[] {
    const { sql, parameters } = query.compile();
    return this.#all(sql, parameters);
  }

  /**
   * Runs a query.
   *
   * @returns the number of changed rows
   */
  run(query: Compilable<unknown>): number {
    const { sql, parameters } = query.compile();
    return this.#run(sql, parameters);
  }

  /** Runs an insert query and returns the ID of the new row. */
  insert(query: Compilable<unknown>): number {
    const { sql, parameters } = query.compile();
    return Number(this.#statement(sql).run(parameters).lastInsertRowid);
  }

  /** Prepares a query. The values in the query are placeholders for the values passed later, in the same order. */
  prepare<Row>(query: Compilable<Row>): Prepared<Row> {
    const { sql } = query.compile();
    return {
      first: (...values) => this.#first(sql, values),
      all: (...values) => this.#all(sql, values),
      run: (...values) => this.#run(sql, values),
    };
  }

  /** Runs `work` in a transaction, which is rolled back if an error is thrown. */
  transaction<Result>(work: () => Result): Result {
    this.execute('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.execute('COMMIT');
      return result;
    } catch (error) {
      if (this.inTransaction) this.execute('ROLLBACK');
      throw error;
    }
  }

  /** Runs `work` in a savepoint within a transaction. */
  nested<Result>(work: () => Result): Result {
    this.execute('SAVEPOINT nested');
    try {
      const result = work();
      this.execute('RELEASE nested');
      return result;
    } catch (error) {
      // If the disk is full, SQLite may already have rolled back the whole transaction.
      if (this.inTransaction) this.execute('ROLLBACK TO nested; RELEASE nested');
      throw error;
    }
  }

  /**
   * Returns whether a transaction is open. node:sqlite has no property for this state before Node.js 22.16. Therefore the method tries to
   * begin a transaction, which fails inside another transaction.
   */
  get inTransaction(): boolean {
    try {
      this.#database.exec('BEGIN');
    } catch {
      return true;
    }
    this.#database.exec('ROLLBACK');
    return false;
  }

  /** Moves all committed data from the journal into the database file, and empties the journal. */
  checkpoint(): void {
    this.execute('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  /** Closes the database. libsql keeps it open until its statements are garbage-collected, so the lock is released explicitly. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#statements.clear();
    try {
      this.#database.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; BEGIN IMMEDIATE; COMMIT');
    } catch {
      // The disk is full or no longer available: committed data stays in the journal, and this process keeps the lock.
    }
    this.#database.close();
  }

  #first<Row>(sql: string, values: readonly unknown[]): Row | undefined {
    // The type assertion is safe, because Kysely derived the type from the columns of the row.
    return this.#statement(sql).get(values) as Row | undefined;
  }

  #all<Row>(sql: string, values: readonly unknown[]): Row[] {
    // The type assertion is safe, because Kysely derived the type from the columns of the rows.
    return this.#statement(sql).all(values) as Row[];
  }

  #run(sql: string, values: readonly unknown[]): number {
    return this.#statement(sql).run(values).changes;
  }

  #statement(sql: string): CheckedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#honest(() => this.#database.prepare(sql));
    const statement: CheckedStatement = {
      get: (values) => this.#honest(() => prepared.get(bindable(values))),
      all: (values) => this.#honest(() => prepared.all(bindable(values))),
      run: (values) => this.#honest(() => prepared.run(bindable(values))),
    };
    this.#statements.set(sql, statement);
    return statement;
  }

  #honest<Result>(call: () => Result): Result {
    try {
      return call();
    } catch (cause) {
      throw cause instanceof TypeError ? cause : new DatabaseError(cause, this.driver.errorCode(cause));
    }
  }
}

function bindable(values: readonly unknown[]): SqliteValue[] {
  return values.map((value) => {
    const isBytes = value instanceof Uint8Array;
    if (typeof value === 'string' || typeof value === 'number' || value === null || isBytes) return value;
    throw new TypeError(`${typeof value} cannot be stored`);
  });
}

/**
 * SQLite error. Node.js does not treat the values thrown by libsql as errors, so a log would show neither their message nor their stack.
 */
class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  /** SQLite error name, such as SQLITE_FULL. */
  readonly code: string | undefined;

  constructor(cause: unknown, code: string | undefined) {
    // A thrown value of any type may have a message.
    const { message } = Object(cause) as { readonly message?: unknown };
    super(String(message ?? cause));
    this.code = code;
  }
}
