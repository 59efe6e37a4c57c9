import AsyncLock from 'async-lock';
import type { UploadState } from '../../../api/release.ts';
import type { BlobStore, UploadAmount, UploadPiece } from '../../storage/blob-store.ts';
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
 * Uploads of blobs. A token can look up only blobs that it has sent itself and blobs of releases that it may view: the existence of a
 * digest would disclose which firmware other projects have. The size and number of a token's uploads that no
 * release refers to are limited.
 */
export class Uploads {
  readonly #parts: Parts;
  readonly #most: UploadAmount;
  readonly #lock = new AsyncLock({ maxPending: Number.POSITIVE_INFINITY });
  /** Bytes and files that requests in progress may still add, by token. */
  readonly #expected = new Map<string, UploadAmount>();

  constructor(parts: Parts, most: UploadAmount) {
    this.#parts = parts;
    this.#most = most;
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
    // A piece that continues an upload adds no file.
    const amount = { bytes: piece.totalBytes - piece.offset, files: piece.offset === 0 ? 1 : 0 };
    await this.#lock.acquire(id, () => this.#expect(id, amount));
    try {
      const state = await blobs.append(sha256, { ...piece, uploader: id });
      if (typeof state !== 'string' && state.complete) {
        await store.uploads.add({ token: id, sha256, sizeBytes: piece.totalBytes, at: Date.now() });
      }
      return state;
    } finally {
      this.#change(id, { bytes: -amount.bytes, files: -amount.files });
    }
  }

  async #expect(id: string, amount: UploadAmount): Promise<void> {
    const { store, blobs } = this.#parts;
    // The expected amount is read first: a request that ends in the meantime is counted twice rather than not at all.
    const expected = this.#expected.get(id) ?? none;
    const used = sumOf(await store.uploads.unpublished(id), await blobs.pending(id));
    const total = sumOf(sumOf(expected, used), amount);
    if (total.bytes > this.#most.bytes) throw tooMany(`${used.bytes} bytes of uploads`, this.#most.bytes);
    if (total.files > this.#most.files) throw tooMany(`${used.files} uploads`, this.#most.files);
    this.#change(id, amount);
  }

  #change(id: string, by: UploadAmount): void {
    const expected = sumOf(this.#expected.get(id) ?? none, by);
    if (expected.bytes === 0 && expected.files === 0) this.#expected.delete(id);
    else this.#expected.set(id, expected);
  }
}

const none: UploadAmount = { bytes: 0, files: 0 };

function sumOf(a: UploadAmount, b: UploadAmount): UploadAmount {
  return { bytes: a.bytes + b.bytes, files: a.files + b.files };
}

function tooMany(what: string, most: number): DomainError {
  return new DomainError(
    'too-many-requests',
    `the token has ${what} that no release refers to (limit: ${most})`,
    'Publish these uploads, or wait a day until they are removed.',
  );
}
