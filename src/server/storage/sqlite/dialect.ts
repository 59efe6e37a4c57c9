import { type SqliteDatabase as KyselyDatabase, SqliteAdapter, SqliteDialect } from 'kysely';

/** Prepared statement whose values are checked before they reach the driver. */
export interface CheckedStatement {
  get(values: readonly unknown[]): unknown;
  all(values: readonly unknown[]): unknown[];
  run(values: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
}

/** Kysely dialect for SQLite, based on statements from any driver. */
export class DriverDialect extends SqliteDialect {
  constructor(prepare: (sql: string) => CheckedStatement) {
    super({ database: kyselyDatabase(prepare) });
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }
}

/**
 * Lets the Migrator run all migrations in one transaction. SQLite can roll back DDL, but Kysely's own adapter does not use this feature.
 */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function kyselyDatabase(prepare: (sql: string) => CheckedStatement): KyselyDatabase {
  return {
    prepare(sql) {
      const { all, run } = prepare(sql);
      // Not all drivers can detect whether a statement returns rows. `all` also runs statements that return none.
      const reader = !/^(insert|update|delete|replace)\b/i.test(sql);
      return { reader, all, run, iterate: (values) => all(values).values() };
    },
    // `Connection` closes the database, not the driver.
    close: () => undefined,
  };
}
