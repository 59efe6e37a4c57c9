import { openPostgresStore } from './sql/postgres/open-postgres.ts';
import { type OpeningRules, openSqliteStore } from './sql/sqlite/open-sqlite.ts';
import { parseStorageUrl, type StorageUrl } from './storage-url.ts';
import type { Store } from './store.ts';

type StoreOpener = (location: StorageUrl, holder: string, rules: OpeningRules) => Promise<Store>;

/** Openers by URL scheme. To support a new kind of store, add one file and one line here. */
const openers = {
  sqlite: ({ path }, holder, rules) => openSqliteStore(path, holder, undefined, rules),
  postgres: ({ url }) => openPostgresStore(url),
  postgresql: ({ url }) => openPostgresStore(url),
} as const satisfies Record<string, StoreOpener>;

/**
 * Opens a store. SQLite files are created if they do not exist.
 *
 * @param url URL such as `sqlite:/var/lib/ota-hooks/ota.db` or `postgres://user@host/database`
 * @param holder description of this process in one line, shown to any other process that tries to open a single-process store
 * @throws OtaError STORAGE_URL_UNKNOWN, and errors from the store
 */
export async function openStore(url: string, holder: string, rules: OpeningRules = {}): Promise<Store> {
  const location = parseStorageUrl('store', url, openers);
  return openers[location.scheme](location, holder, rules);
}
