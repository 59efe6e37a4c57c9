import {
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
} from 'kysely';

/** Kysely dialect for PostgreSQL that reports the error that ended a transaction, and not that the connection is lost. */
export class RollbackDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new RollbackDriver(this.#config);
  }
}

class RollbackDriver extends PostgresDriver {
  /** A connection on which the rollback fails is lost, so the server rolls back the transaction. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await super.rollbackTransaction(connection).catch(() => undefined);
  }
}
