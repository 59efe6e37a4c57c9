import { createHash } from 'node:crypto';
import type { Artifact } from '../../../core/model/manifest.ts';
import type { BlobStore } from '../../storage/store.ts';

/** Artifacts that nobody downloads are kept up to this; those that somebody does are there anyway. */
const idleBytes = 64 * 1024 * 1024;
/** Of all that are being sent at one time. */
const mostBytes = 256 * 1024 * 1024;

interface Entry {
  readonly bytes: Promise<Uint8Array | undefined>;
  sizeBytes: number;
  users: number;
}

/**
 * The bytes of artifacts, in memory once however many devices they are sent to. They are compared to their digests when they are read,
 * so that nothing is ever sent that does not match its x-MD5.
 */
export class ArtifactBytes {
  readonly #blobs: BlobStore;
  readonly #entries = new Map<string, Entry>();

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /**
   * Takes the bytes for a download; `release` has to follow when they were there.
   *
   * @returns undefined where they are missing or damaged; `busy` where too much is being sent already
   */
  async take(artifact: Artifact): Promise<Uint8Array | undefined | 'busy'> {
    const { sha256, sizeBytes } = artifact;
    const known = this.#entries.get(sha256);
    if (known === undefined && !this.#makeRoom(sizeBytes)) return 'busy';
    const entry = known ?? { bytes: this.#read(artifact), sizeBytes, users: 0 };
    entry.users++;
    this.#entries.delete(sha256);
    this.#entries.set(sha256, entry);
    const bytes = await entry.bytes;
    if (bytes !== undefined) return bytes;
    entry.users--;
    this.#entries.delete(sha256);
    return undefined;
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

  /** Forgets what nobody uses, the oldest first, until there is room; gives back what is left. */
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
