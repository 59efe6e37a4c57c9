import type { BlobStore } from './blob-store.ts';
import { folderBlobs } from './blobs/folder-blobs.ts';
import { type StorageEnvironment, s3Settings } from './blobs/s3/s3-settings.ts';
import { parseStorageUrl, type StorageUrl } from './storage-url.ts';

type BlobOpener = (location: StorageUrl, rules: BlobRules) => Promise<BlobStore>;

interface BlobRules {
  /** Environment variables with the credentials of the store. */
  readonly env?: StorageEnvironment | undefined;
  /** True if the store must not be changed. */
  readonly isReadOnly?: boolean | undefined;
  /** True if the caller calls `check` itself. */
  readonly isCheckedLater?: boolean | undefined;
}

/** Openers by URL scheme. To support a new kind of blob store, add one file and one line here. */
const openers = {
  file: ({ path }, { isReadOnly = false }) => folderBlobs(path, { isReadOnly }),
  s3: async (location, { env = {}, isReadOnly = false }) => {
    const { s3Blobs } = await import('./blobs/s3/s3-blobs.ts');
    return s3Blobs(s3Settings(location, env), { isReadOnly });
  },
} as const satisfies Record<string, BlobOpener>;

/**
 * Opens a blob store, and checks that it can be used. Folders are created if they do not exist.
 *
 * @param url URL such as `file:/var/lib/ota-hooks`, a folder that contains `blobs` and `uploads`, or `s3://bucket/prefix`
 * @throws OtaError STORAGE_URL_UNKNOWN, and the errors of the store
 */
export async function openBlobs(url: string, rules: BlobRules = {}): Promise<BlobStore> {
  const location = parseStorageUrl('blobs', url, openers);
  const blobs = await openers[location.scheme](location, rules);
  if (rules.isCheckedLater !== true) await blobs.check();
  return blobs;
}
