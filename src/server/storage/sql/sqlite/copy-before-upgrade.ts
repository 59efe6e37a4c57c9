import { open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sql } from 'kysely';
import type { Engine } from '../engine.ts';
import { pendingMigrations } from '../migrate.ts';

const copySuffix = '-before-';

/**
 * Copies a database that is about to be migrated, to `ota.db-before-NNNN-name`, named by the first migration. Copies of earlier upgrades are
 * removed: they contain history that the server has removed since.
 *
 * @returns the path of the copy; undefined if there is nothing to migrate
 */
export async function copyBeforeUpgrade(
  engine: Pick<Engine, 'db' | 'tables'>,
  path: string,
): Promise<string | undefined> {
  const [first] = await pendingMigrations(engine);
  if (first === undefined) return undefined;
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if (name.startsWith(basename(path) + copySuffix)) await rm(join(folder, name));
  }
  const copy = `${path}${copySuffix}${first}`;
  // SQLite writes into an existing empty file, and would create a new one for all users.
  await (await open(copy, 'wx', 0o600)).close();
  try {
    await sql`VACUUM INTO ${sql.lit(copy)}`.execute(engine.db);
  } catch (error) {
    // If the disk is full, the incomplete copy would keep it full.
    await rm(copy, { force: true });
    throw error;
  }
  return copy;
}
