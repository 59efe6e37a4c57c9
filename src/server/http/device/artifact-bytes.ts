import { createHash } from 'node:crypto';
import type { Artifact } from '../../../core/model/manifest.ts';
import type { BlobStore } from '../../storage/blob-store.ts';

/** Total size above which unused artifacts are dropped. */
const idleBytes = 64 * 1024 * 1024;
/** Limit on the total size of artifacts in memory, including artifacts that are being sent. */
const mostBytes = 256 * 1024 * 1024;

interface Entry {
  readonly bytes: Promise<Uint8Array | undefined>;
  sizeBytes: number;
  users: number;
}

/**
 * Cache for artifact bytes. All downloads of an artifact share one copy in memory. The size and MD5 are checked when the artifact is read,
 * so that every artifact sent matches its x-MD5.
 */
export class ArtifactBytes {
  readonly #blobs: BlobStore;
  readonly #entries = new Map<string, Entry>();

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /**
   * Acquires the bytes for a download. If bytes are returned, `release` must be called exactly once.
   *
   * @returns undefined if the bytes are missing or damaged; `busy` if the memory limit is reached
   * @throws the error of the blob store if it cannot be read now; the next call reads it again
   */
  async acquire(artifact: Artifact): Promise<Uint8Array | undefined | 'busy'> {
    const { sha256, sizeBytes } = artifact;
    const known = this.#entries.get(sha256);
    if (known === undefined && !this.#makeRoom(sizeBytes)) return 'busy';
    const entry = known ?? { bytes: this.#read(artifact), sizeBytes, users: 0 };
    entry.users++;
    this.#entries.delete(sha256);
    this.#entries.set(sha256, entry);
    try {
      const bytes = await entry.bytes;
      if (bytes !== undefined) return bytes;
    } catch (error) {
      this.#drop(sha256, entry);
      throw error;
    }
    this.#drop(sha256, entry);
    return undefined;
  }

  /** Removes an entry without bytes. A different request may already have replaced it. */
  #drop(sha256: string, entry: Entry): void {
    entry.users--;
    if (this.#entries.get(sha256) === entry) this.#entries.delete(sha256);
  }

  release({ sha256 }: Artifact): void {
    const entry = this.#entries.get(sha256);
    if (entry !== undefined) entry.users--;
    this.#forget(0, idleBytes);
  }

  async #read({ sha256, md5, sizeBytes }: Artifact): Promise<Uint8Array | undefined> {
    const bytes = await this.#blobs.read(sha256);
    if (bytes === undefined || bytes.length !== sizeBytes) return undefined;
    return createHash('md5').update(bytes).digest('hex') === md5 ? bytes : undefined;
  }

  #makeRoom(sizeBytes: number): boolean {
    return this.#forget(sizeBytes, mostBytes) + sizeBytes <= mostBytes;
  }

  /**
   * Drops unused entries, least recently used first, until there is room for `wantedBytes`. Returns the total size of the remaining
   * entries.
   */
  #forget(wantedBytes: number, limitBytes: number): number {
    let total = 0;
    for (const { sizeBytes } of this.#entries.values()) total += sizeBytes;
    for (const [sha256, { users, sizeBytes }] of this.#entries) {
      if (total + wantedBytes <= limitBytes) break;
      if (users > 0) continue;
      this.#entries.delete(sha256);
      total -= sizeBytes;
    }
    return total;
  }
}
