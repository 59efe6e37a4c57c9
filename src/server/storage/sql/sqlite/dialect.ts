import {
  type DatabaseConnection,
  type Driver,
  type SqliteDatabase as KyselyDatabase,
  SqliteDialect,
  SqliteDriver,
} from 'kysely';

/** Prepared statement whose values are checked before they reach the driver. */
export interface CheckedStatement {
  get(values: readonly unknown[]): unknown;
  all(values: readonly unknown[]): unknown[];
  run(values: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
}

/** Kysely dialect for SQLite, based on statements from any driver. */
export class DriverDialect extends SqliteDialect {
  readonly driver: TransactionDriver;

  constructor(prepare: (sql: string) => CheckedStatement) {
    const config = { database: kyselyDatabase(prepare) };
    super(config);
    this.driver = new TransactionDriver(config);
  }

  override createDriver(): Driver {
    return this.driver;
  }
}

class TransactionDriver extends SqliteDriver {
  #users = 0;

  /** Whether no query or transaction of Kysely uses the connection or waits for it. */
  get isIdle(): boolean {
    return this.#users === 0;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    this.#users++;
    return super.acquireConnection();
  }

  override async releaseConnection(): Promise<void> {
    await super.releaseConnection();
    this.#users--;
  }

  /** If the disk is full, SQLite rolls back a transaction itself. The error that led to the rollback is more helpful than a second one. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await super.rollbackTransaction(connection).catch(() => undefined);
  }
}

function kyselyDatabase(prepare: (sql: string) => CheckedStatement): KyselyDatabase {
  return {
    prepare(sql) {
      const { all, run } = prepare(sql);
      // Not all drivers can detect whether a statement returns rows. `all` also runs statements that return none.
      const reader = !/^\s*(insert|update|delete|replace)\b/i.test(sql) || /\breturning\b/i.test(sql);
      return { reader, all, run, iterate: (values) => all(values).values() };
    },
    // `Connection` closes the database, not the driver.
    close: () => undefined,
  };
}
