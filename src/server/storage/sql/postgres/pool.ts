import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type Pg from 'pg';
import { OtaError } from '../../../../errors/ota-error.ts';
import { breaksConnection, isLost, retried, storeError } from './problems.ts';

/**
 * Time after which a statement fails, and a connection is given up, because the network or the database does not respond. A server that is
 * down or was killed is noticed at once, so the time only matters if bytes are lost or the machine is overloaded. A device waits 8 s for a
 * response, so it still receives 503.
 */
const timeoutMs = 6000;
/** A load balancer waits 3 s for a health check, and must notice soon that the database responds again. */
const healthTimeoutMs = 2000;
/** The locks of a process that was cut off are released after this time. */
const idleInTransactionMs = 3000;
/**
 * Time after which a transaction that waits for a lock runs again. It is shorter than the time for which a process that was cut off keeps
 * its locks: otherwise, the transactions of that process that wait for each other would keep them one after the other.
 */
const lockTimeoutMs = 2000;
/** OIDs of int8 and numeric. The store's integers and their sums are exact in JavaScript. */
const numberTypes = [20, 1700];

/** Names of statements whose plans the database keeps, by their text. */
type StatementNames = ReadonlyMap<string, string>;

/**
 * statements: outside of transactions, such as update checks. transactions: those of requests and maintenance. They have connections of
 * their own, so that transactions that wait for a lock never delay update checks. health: a load balancer must not remove a server because
 * many statements are waiting. long: migrations and backups, without time limits.
 */
export type PoolKind = 'statements' | 'transactions' | 'health' | 'long';

const mostConnections: Readonly<Record<PoolKind, number>> = { statements: 5, transactions: 6, health: 1, long: 2 };

/**
 * Returns the settings for all connections to a database.
 *
 * @throws OtaError DATABASE_URL_INVALID
 */
export function connectionSettings(pg: typeof Pg, url: string, kind: PoolKind): Pg.PoolConfig {
  const withinMs = kind === 'health' ? healthTimeoutMs : timeoutMs;
  const common: Pg.PoolConfig = {
    connectionString: url,
    application_name: 'ota-hooks',
    connectionTimeoutMillis: withinMs,
    keepAlive: true,
    types: {
      getTypeParser: ((oid: number, format: 'text') =>
        numberTypes.includes(oid) ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  };
  const max = mostConnections[kind];
  if (kind === 'long') return { ...common, max };
  return {
    ...common,
    max,
    query_timeout: withinMs,
    statement_timeout: withinMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
  };
}

/**
 * Opens a pool of connections for Kysely. Its errors are StoreUnavailableErrors if the database cannot be used.
 *
 * @throws OtaError DATABASE_URL_INVALID
 */
export function openPool(
  pg: typeof Pg,
  url: string,
  { kind, names }: { readonly kind: PoolKind; readonly names: StatementNames },
): PostgresPool {
  const pool = createPool(pg, connectionSettings(pg, url, kind));
  // A lost connection also fails the next statement, which reports it.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  // Kysely prepares each object that it has not seen before.
  const known = new WeakMap<Pg.PoolClient, Connection>();
  const take = async (): Promise<Taken> => {
    try {
      const client = await pool.connect();
      return { client, wasIdle: known.has(client) };
    } catch (error) {
      throw storeError(error);
    }
  };
  return {
    async connect() {
      const taken = await take();
      const connection = known.get(taken.client) ?? new Connection(take, names);
      known.set(taken.client, connection);
      connection.use(taken);
      return connection;
    },
    end: () => pool.end(),
  };
}

/** Without a name, PostgreSQL plans the statement each time: an update check then takes twice as long, and 30% more CPU of this process. */
function named(name: string | undefined): { readonly name?: string } {
  return name === undefined ? {} : { name };
}

function createPool(pg: typeof Pg, settings: Pg.PoolConfig): Pg.Pool {
  try {
    return new pg.Pool(settings);
  } catch {
    // The cause may contain the password.
    throw new OtaError('DATABASE_URL_INVALID', { reason: 'one of its parameters is invalid' });
  }
}

/** PostgreSQL rejects text with a NUL character, which a URL may contain. The replacement matches nothing that is stored, as in SQLite. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value;
}

interface Taken {
  readonly client: Pg.PoolClient;
  /** Whether the connection was idle in the pool, so that it may have been lost unnoticed. */
  readonly wasIdle: boolean;
}

/** Connection of the pool for Kysely. It is replaced if it was lost while it was idle. */
class Connection implements PostgresPoolClient {
  /** Kysely passes a text with values, because it has no cursors. */
  readonly query = ((text: string, values: readonly unknown[]) =>
    this.#query(text, values)) as PostgresPoolClient['query'];
  readonly #take: () => Promise<Taken>;
  readonly #names: StatementNames;
  #client: Pg.PoolClient | undefined;
  #mayBeLost = false;
  #isBroken = false;
  #isInTransaction = false;

  constructor(take: () => Promise<Taken>, names: StatementNames) {
    this.#take = take;
    this.#names = names;
  }

  use({ client, wasIdle }: Taken): void {
    this.#client = client;
    this.#mayBeLost = wasIdle;
    this.#isBroken = false;
  }

  async #query(text: string, values: readonly unknown[]): Promise<unknown> {
    const isStart = /^(begin|start)/.test(text);
    if (isStart) this.#isInTransaction = true;
    if (/^(commit|rollback$)/.test(text)) this.#isInTransaction = false;
    const isRepeatable = isStart || text.startsWith('select');
    const run = () => this.#run(text, values, isRepeatable);
    try {
      // A transaction runs again as a whole.
      return await (this.#isInTransaction ? run() : retried(run));
    } catch (error) {
      this.#isBroken ||= breaksConnection(error);
      throw storeError(error);
    }
  }

  release(): void {
    this.#client?.release(this.#isBroken);
    this.#client = undefined;
  }

  /** Runs a statement, on a different connection if the idle one was lost and the statement may run twice. */
  async #run(text: string, values: readonly unknown[], isRepeatable: boolean): Promise<unknown> {
    for (;;) {
      const mayRunAgain = this.#mayBeLost && isRepeatable;
      this.#mayBeLost = false;
      try {
        return await this.#client?.query({ text, values: values.map(storable), ...named(this.#names.get(text)) });
      } catch (error) {
        if (!mayRunAgain || !isLost(error)) throw error;
      }
      this.#isBroken = true;
      this.release();
      this.use(await this.#take());
    }
  }
}
