import type { BlobStore } from '../blob-store.ts';
import { BlobsUnavailableError } from '../store-unavailable.ts';

/** Blob store that is unavailable until it was checked. */
export interface BlobsCheckedLater {
  readonly blobs: BlobStore;
  /** Checks the blob store, unless it was already checked successfully. */
  check(): Promise<void>;
}

/**
 * Makes a blob store unavailable until `check` succeeds. Before, it is not known whether the blobs belong to the database.
 *
 * @param check undefined if the blob store was already checked
 */
export function blobsCheckedLater(blobs: BlobStore, check: (() => Promise<void>) | undefined): BlobsCheckedLater {
  if (check === undefined) return { blobs, check: async () => undefined };
  let isChecked = false;
  const fail = async () => {
    throw new BlobsUnavailableError('the bucket could not be reached when the server started');
  };
  const open = { get: (target: BlobStore, name: keyof BlobStore) => (isChecked ? target[name].bind(target) : fail) };
  return {
    blobs: new Proxy(blobs, open as ProxyHandler<BlobStore>),
    async check() {
      if (isChecked) return;
      await check();
      isChecked = true;
    },
  };
}
