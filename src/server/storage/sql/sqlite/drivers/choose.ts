import type { SqliteDriver } from './driver.ts';
import { libsql } from './libsql.ts';
import { nodeSqlite } from './node-sqlite.ts';

/**
 * Returns node:sqlite if Node.js includes it (22.13 and newer), otherwise the libsql package.
 *
 * @throws OtaError SQLITE_MISSING
 */
export async function chooseDriver(): Promise<SqliteDriver> {
  return nodeSqlite() ?? (await libsql());
}
