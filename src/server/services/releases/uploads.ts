import type { UploadState } from '../../../api/release.ts';
import type { BlobStore, UploadAmount, UploadPiece } from '../../storage/blob-store.ts';
import type { TokenRecord } from '../../storage/records.ts';
import type { SentBlob, Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';

/** Token whose owner uploads blobs. */
export type Uploader = Pick<TokenRecord, 'id' | 'project'>;

/** Limit on the total size of all unfinished uploads. */
const mostPendingBytes = 512 * 1024 * 1024;

interface Parts {
  readonly store: Pick<Store, 'catalog' | 'uploads'>;
  readonly blobs: BlobStore;
}

/**
 * Uploads of blobs. A token can look up only blobs that it has sent itself and blobs of releases that it may view: the existence of a
 * digest would disclose which firmware other projects have. The size and number of a token's uploads that no
 * release refers to are limited. An unfinished upload counts with its whole size.
 */
export class Uploads {
  readonly #parts: Parts;
  readonly #most: UploadAmount;

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

  /** Does the same as `has`, and keeps a blob that the token has sent from being removed within the next day. */
  async keep(uploader: Uploader, { sha256, sizeBytes }: Pick<SentBlob, 'sha256' | 'sizeBytes'>): Promise<boolean> {
    const { uploads } = this.#parts.store;
    const { id } = uploader;
    // A removal that began earlier ends before the record is written, so the blob is then missing.
    if (await uploads.has(id, sha256)) await uploads.add({ token: id, sha256, sizeBytes, at: Date.now() });
    return this.has(uploader, sha256);
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
    if ((await blobs.pending()).bytes + piece.totalBytes - piece.offset > mostPendingBytes) {
      throw new DomainError(
        'too-many-requests',
        `the total size of unfinished uploads would exceed ${mostPendingBytes / 1024 / 1024} MiB`,
        'Complete these uploads, or wait a day until the server removes them.',
      );
    }
    const upload = { token: id, sha256, sizeBytes: piece.totalBytes };
    await this.#reserve({ ...upload, at: Date.now() });
    const state = await blobs.append(sha256, { ...piece, uploader: id });
    if (typeof state === 'string') {
      if ((await blobs.state(sha256, id)).offset === 0) await store.uploads.release(id, sha256);
    } else if (state.complete) await store.uploads.add({ ...upload, at: Date.now() });
    return state;
  }

  async #reserve(upload: SentBlob): Promise<void> {
    const used = await this.#parts.store.uploads.reserve(upload, this.#most);
    if (used === undefined) return;
    if (used.files >= this.#most.files) throw tooMany(`${used.files} uploads`, this.#most.files);
    throw tooMany(`${used.bytes} bytes of uploads`, this.#most.bytes);
  }
}

function tooMany(what: string, most: number): DomainError {
  return new DomainError(
    'too-many-requests',
    `the token has ${what} that no release refers to (limit: ${most})`,
    'Publish these uploads, or wait a day until they are removed.',
  );
}
