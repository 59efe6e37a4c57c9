import type { BlobStore } from './blob-store.ts';
import { folderBlobs } from './blobs/folder-blobs.ts';
import { parseStorageUrl, type StorageUrl } from './storage-url.ts';

type BlobOpener = (location: StorageUrl) => Promise<BlobStore>;

/** Openers by URL scheme. To support a new kind of blob store, add one file and one line here. */
const openers = {
  file: ({ path }) => folderBlobs(path),
} as const satisfies Record<string, BlobOpener>;

/**
 * Opens a blob store. Folders are created if they do not exist.
 *
 * @param url URL such as `file:/var/lib/ota-hooks`, a folder that contains `blobs` and `uploads`
 * @throws OtaError STORAGE_URL_UNKNOWN
 */
export async function openBlobs(url: string): Promise<BlobStore> {
  const location = parseStorageUrl('blobs', url, openers);
  return openers[location.scheme](location);
}
