import { openSqliteStore } from './sqlite/sqlite-store.ts';
import { parseStorageUrl, type StorageUrl } from './storage-url.ts';
import type { Store } from './store.ts';

type StoreOpener = (location: StorageUrl, holder: string) => Promise<Store>;

/** Openers by the scheme of the URL. A new kind of store is one file and one line here. */
const openers = {
  sqlite: ({ path }, holder) => openSqliteStore(path, holder),
} as const satisfies Record<string, StoreOpener>;

/**
 * Opens a store. SQLite files are created if they do not exist.
 *
 * @param url such as `sqlite:/var/lib/ota-hooks/ota.db`
 * @param holder line about this process, shown to another process that opens a store of a single process
 * @throws OtaError STORAGE_URL_UNKNOWN, and the errors of the store
 */
export async function openStore(url: string, holder: string): Promise<Store> {
  const location = parseStorageUrl('store', url, openers);
  return openers[location.scheme](location, holder);
}
