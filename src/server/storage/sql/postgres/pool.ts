import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type Pg from 'pg';
import { OtaError } from '../../../../errors/ota-error.ts';
import { breaksConnection, retried, storeError } from './problems.ts';

/**
 * Time after which a statement fails, and a connection is given up, because the network or the database does not respond. A server that is
 * down or was killed is noticed at once, so the time only matters if bytes are lost or the machine is overloaded.
 */
const timeoutMs = 10_000;
const mostConnections = 10;
/** OIDs of int8 and numeric. The store's integers and their sums are exact in JavaScript. */
const numberTypes = [20, 1700];

/** Names of statements whose plans the database keeps, by their text. */
type StatementNames = ReadonlyMap<string, string>;

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
    connectionTimeoutMillis: timeoutMs,
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
export function openPool(
  pg: typeof Pg,
  url: string,
  { kind, names }: { readonly kind: PoolKind; readonly names: StatementNames },
): PostgresPool {
  const pool = createPool(pg, connectionSettings(pg, url, kind));
  // A lost connection also fails the next statement, which reports it.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const adapted = new WeakMap<Pg.PoolClient, PostgresPoolClient>();
  return {
    async connect() {
      try {
        const client = await pool.connect();
        // Kysely prepares each object that it has not seen before.
        const known = adapted.get(client) ?? adapt(client, names);
        adapted.set(client, known);
        return known;
      } catch (error) {
        throw storeError(error);
      }
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

function adapt(client: Pg.PoolClient, names: StatementNames): PostgresPoolClient {
  let isBroken = false;
  let isInTransaction = false;
  const query: (text: string, values: readonly unknown[]) => Promise<unknown> = async (text, values) => {
    if (/^(begin|start)/.test(text)) isInTransaction = true;
    if (/^(commit|rollback$)/.test(text)) isInTransaction = false;
    const run = () => client.query({ text, values: values.map(storable), ...named(names.get(text)) });
    try {
      // A transaction runs again as a whole.
      return await (isInTransaction ? run() : retried(run));
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
