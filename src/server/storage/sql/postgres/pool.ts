import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type Pg from 'pg';
import { OtaError } from '../../../../errors/ota-error.ts';
import { breaksConnection, storeError } from './problems.ts';

/** Time after which a request of a device or a person fails, because the network or the database does not respond. */
const timeoutMs = 5000;
/** Time for a connection, including the time until another request returns one. */
const connectMs = 3000;
const mostConnections = 10;
/** OIDs of int8 and numeric. The store's integers and their sums are exact in JavaScript. */
const numberTypes = [20, 1700];

/** requests: statements that fail if they take too long. long: migrations and backups. */
type PoolKind = 'requests' | 'long';

/**
 * Returns the settings for all connections to a database.
 *
 * @throws OtaError DATABASE_URL_INVALID
 */
export function connectionSettings(pg: typeof Pg, url: string, kind: PoolKind): Pg.PoolConfig {
  const common: Pg.PoolConfig = {
    connectionString: url,
    application_name: 'ota-hooks',
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    types: {
      getTypeParser: ((oid: number, format: 'text') =>
        numberTypes.includes(oid) ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  };
  if (kind === 'long') return { ...common, max: 2 };
  return {
    ...common,
    max: mostConnections,
    query_timeout: timeoutMs,
    statement_timeout: timeoutMs,
    lock_timeout: timeoutMs,
    // The locks of a process that was cut off are released after this time.
    idle_in_transaction_session_timeout: timeoutMs,
  };
}

/**
 * Opens a pool of connections for Kysely. Its errors are StoreUnavailableErrors if the database cannot be used.
 *
 * @throws OtaError DATABASE_URL_INVALID
 */
export function openPool(pg: typeof Pg, url: string, kind: PoolKind): PostgresPool {
  const pool = createPool(pg, connectionSettings(pg, url, kind));
  // A lost connection also fails the next statement, which reports it.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    async connect() {
      try {
        return adapt(await pool.connect());
      } catch (error) {
        throw storeError(error);
      }
    },
    end: () => pool.end(),
  };
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

function adapt(client: Pg.PoolClient): PostgresPoolClient {
  let isBroken = false;
  const query: (text: string, values: readonly unknown[]) => Promise<unknown> = async (text, values) => {
    try {
      return await client.query(text, values.map(storable));
    } catch (error) {
      isBroken ||= breaksConnection(error);
      throw storeError(error);
    }
  };
  return {
    // Kysely passes a text with values, because it has no cursors.
    query: query as PostgresPoolClient['query'],
    release: () => client.release(isBroken),
  };
}
