import { sql } from 'kysely';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { Store } from '../../store.ts';
import type { Engine } from '../engine.ts';
import { postgresEngine } from '../engines/postgres.ts';
import { migrate } from '../migrate.ts';
import { sqlStore } from '../sql-store.ts';
import { requireDatabaseUrl } from './database-url.ts';
import { loadPg } from './load-pg.ts';
import { missingPostgresPart } from './needed-parts.ts';
import { withFilePassword } from './password-file.ts';
import { openingError } from './problems.ts';

const oldestVersion = 15;

/**
 * Opens a PostgreSQL database, and creates or migrates its tables.
 *
 * @param url URL such as `postgres://user@host/database`
 * @throws OtaError POSTGRES_MISSING, DATABASE_URL_INVALID, DATABASE_UNREACHABLE, DATABASE_LOGIN_REJECTED, DATABASE_MISSING,
 *   DATABASE_READ_ONLY, DATABASE_TOO_OLD, DATABASE_REJECTED, SERVER_DATABASE_FOREIGN, SERVER_DATA_NEWER,
 *   SERVER_TABLES_UNFIT
 */
export async function openPostgresStore(url: string): Promise<Store> {
  const location = requireDatabaseUrl(url);
  const engine = postgresEngine(await loadPg(), await withFilePassword(url), location);
  try {
    await requireUsable(engine);
    await migrate({ ...engine, missingPart: (db) => missingPostgresPart(db, engine.columns) });
    return sqlStore(engine);
  } catch (error) {
    await engine.close();
    throw openingError(location, error);
  }
}

async function requireUsable({ db, location }: Engine): Promise<void> {
  const query = sql<{ version: number; readonly: string }>`
    SELECT current_setting('server_version_num')::int AS version, current_setting('transaction_read_only') AS readonly`;
  const [found] = (await query.execute(db)).rows;
  const version = Math.floor((found?.version ?? 0) / 10_000);
  if (version < oldestVersion) throw new OtaError('DATABASE_TOO_OLD', { location, version, oldest: oldestVersion });
  if (found?.readonly !== 'off') throw new OtaError('DATABASE_READ_ONLY', { location });
}
