import AsyncLock from 'async-lock';
import type { UploadState } from '../../../api/release.ts';
import type { BlobStore, UploadPiece } from '../../storage/blob-store.ts';
import type { TokenRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';

/** Token whose owner uploads blobs. */
export type Uploader = Pick<TokenRecord, 'id' | 'project'>;

interface Parts {
  readonly store: Pick<Store, 'catalog' | 'uploads'>;
  readonly blobs: BlobStore;
}

/**
 * Uploads of blobs. A token learns only about blobs that it has sent itself, and about blobs of releases that it may view: the existence of
 * a digest would disclose which firmware other projects have. Its uploads that no release refers to are limited.
 */
export class Uploads {
  readonly #parts: Parts;
  readonly #mostBytes: number;
  readonly #lock = new AsyncLock({ maxPending: Number.POSITIVE_INFINITY });
  /** Bytes that requests in progress may still send, by token. */
  readonly #expected = new Map<string, number>();

  constructor(parts: Parts, mostBytes: number) {
    this.#parts = parts;
    this.#mostBytes = mostBytes;
  }

  /** Returns whether a token may use a blob without sending its bytes. */
  async has({ id, project }: Uploader, sha256: string): Promise<boolean> {
    const { store, blobs } = this.#parts;
    const isKnown = (await store.uploads.has(id, sha256)) || (await store.catalog.isReferenced(sha256, project));
    return isKnown && (await blobs.state(sha256)).complete;
  }

  async state(uploader: Uploader, sha256: string): Promise<UploadState> {
    const { blobs } = this.#parts;
    return (await this.has(uploader, sha256)) ? blobs.state(sha256) : blobs.state(sha256, uploader.id);
  }

  /**
   * Appends a piece to an upload.
   *
   * @throws DomainError too-many-requests
   */
  async append(
    uploader: Uploader,
    sha256: string,
    piece: Omit<UploadPiece, 'uploader'>,
  ): Promise<UploadState | 'digest-mismatch' | 'offset'> {
    const { store, blobs } = this.#parts;
    const { id } = uploader;
    if (await this.has(uploader, sha256)) return blobs.state(sha256);
    const bytes = piece.totalBytes - piece.offset;
    await this.#lock.acquire(id, () => this.#expect(id, bytes));
    try {
      const state = await blobs.append(sha256, { ...piece, uploader: id });
      if (typeof state !== 'string' && state.complete) {
        await store.uploads.add({ token: id, sha256, sizeBytes: piece.totalBytes, at: Date.now() });
      }
      return state;
    } finally {
      this.#change(id, -bytes);
    }
  }

  async #expect(id: string, bytes: number): Promise<void> {
    const { store, blobs } = this.#parts;
    // The expected bytes are read first: a request that ends in the meantime is counted twice rather than not at all.
    const expected = this.#expected.get(id) ?? 0;
    const used = (await store.uploads.unpublishedBytes(id)) + (await blobs.pendingBytes(id));
    if (expected + used + bytes > this.#mostBytes) {
      throw new DomainError(
        'too-many-requests',
        `the token has ${used} bytes of uploads that no release refers to (limit: ${this.#mostBytes})`,
        'Publish these uploads, or wait a day until they are removed.',
      );
    }
    this.#change(id, bytes);
  }

  #change(id: string, bytes: number): void {
    const expected = (this.#expected.get(id) ?? 0) + bytes;
    if (expected === 0) this.#expected.delete(id);
    else this.#expected.set(id, expected);
  }
}
