import { type CompiledQuery, Kysely } from 'kysely';
import type { Database } from '../engine.ts';
import type { Tables } from '../tables.ts';
import { type CheckedStatement, DriverDialect } from './dialect.ts';
import type { SqliteDatabase, SqliteDriver, SqliteValue } from './drivers/driver.ts';

/** Kysely query that can be compiled to SQL. */
interface Compilable<Row> {
  compile(): CompiledQuery<Row>;
}

/** Query that is prepared once and run many times with new values. */
export interface Prepared<Row> {
  all(...values: readonly SqliteValue[]): Row[];
}

/** Prepared statements kept for reuse. SQL texts differ by the number of their values, so there may be any number of them. */
const mostStatements = 500;

/**
 * Connection to a database that only this process uses. Kysely runs the queries of the store. The methods of this class run statements
 * immediately, outside of Kysely's queue, so they must not be called while the store runs queries.
 *
 * libsql ends the process if it receives a value of an unsupported type, such as a boolean or `undefined`. Therefore all values are checked
 * with {@link bindable}.
 */
export class Connection {
  readonly db: Database;
  readonly driver: SqliteDriver;
  readonly #dialect = new DriverDialect((sql) => {
    this.#setSynchronous('FULL');
    return this.#statement(sql);
  });
  readonly #database: SqliteDatabase;
  readonly #statements = new Map<string, CheckedStatement>();
  #synchronous: 'FULL' | 'NORMAL' = 'FULL';
  #isOpen = true;

  /**
   * Opens the file for exclusive use until it is closed or the process ends. The lock is held by the operating system and does not survive
   * a crash.
   *
   * @throws an error whose `code` begins with SQLITE_, such as SQLITE_BUSY if another process has the file open
   */
  constructor(path: string, driver: SqliteDriver) {
    this.driver = driver;
    this.db = new Kysely<Tables>({ dialect: this.#dialect });
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

  /** Runs any number of statements without bound values. */
  execute(sql: string): void {
    this.#honest(() => this.#database.exec(sql));
  }

  all<Row>(query: Compilable<Row>): Row[] {
    const { sql, parameters } = query.compile();
    // The type assertion is safe, because Kysely derived the type from the columns of the rows.
    return this.#statement(sql).all(parameters) as Row[];
  }

  /** Prepares a query. The values in the query are placeholders for the values passed later, in the same order. */
  prepare<Row>(query: Compilable<Row>): Prepared<Row> {
    const { sql } = query.compile();
    return { all: (...values) => this.#statement(sql).all(values) as Row[] };
  }

  /** Returns the first row of a query. */
  first<Row>(sql: string, values: readonly unknown[]): Promise<Row | undefined> {
    // The caller knows the columns of its query.
    return this.#betweenTransactions(() => this.#statement(sql).get(values) as Row | undefined);
  }

  /** Changes rows without waiting for the disk, and returns whether a row was changed. */
  change(sql: string, values: readonly unknown[]): Promise<boolean> {
    return this.#betweenTransactions(() => {
      this.#setSynchronous('NORMAL');
      return this.#statement(sql).run(values).changes > 0;
    });
  }

  /**
   * Sets whether commits wait for the disk, before a statement. A change by a device leaves `NORMAL` for the next one: setting it back each
   * time took 6% of the CPU of a download.
   */
  #setSynchronous(mode: 'FULL' | 'NORMAL'): void {
    if (this.#synchronous === mode) return;
    this.execute(`PRAGMA synchronous = ${mode}`);
    this.#synchronous = mode;
  }

  /** Calls `work` when no transaction of Kysely is open. */
  async #betweenTransactions<Result>(work: () => Result): Promise<Result> {
    const { driver } = this.#dialect;
    if (driver.isIdle) return work();
    await driver.acquireConnection();
    try {
      return work();
    } finally {
      await driver.releaseConnection();
    }
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

  #statement(sql: string): CheckedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#honest(() => this.#database.prepare(sql));
    const statement: CheckedStatement = {
      get: (values) => this.#honest(() => prepared.get(bindable(values))),
      all: (values) => this.#honest(() => prepared.all(bindable(values))),
      run: (values) => this.#honest(() => prepared.run(bindable(values))),
    };
    if (this.#statements.size >= mostStatements) this.#statements.clear();
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
