import type { UploadState } from '../../api/release.ts';

/**
 * Bytes, addressed by their SHA-256. `test/server/storage/blob-contract.ts` defines the required behavior of a blob store. While a store
 * on the network cannot be reached or rejects requests, all methods throw `BlobsUnavailableError`.
 */
export interface BlobStore {
  /**
   * Checks that the store can be used with the current settings.
   *
   * @throws OtaError with the cause `BlobsUnavailableError` if the store cannot be reached now, and other errors for wrong settings
   */
  check(): Promise<void>;
  /** Returns the state of a blob. For an uploader, returns only the state of its own unfinished upload. */
  state(sha256: string, uploader?: string): Promise<UploadState>;
  /**
   * Appends a piece to a blob, at the offset returned by `state`. An uploader must send all bytes even if the blob exists.
   *
   * @returns digest-mismatch: the bytes of the upload do not match the digest, so the upload was removed. offset: the piece does not start
   *   where the upload ends
   */
  append(sha256: string, piece: UploadPiece): Promise<UploadState | 'digest-mismatch' | 'offset'>;
  /**
   * Reads a blob.
   *
   * @returns undefined if the blob does not exist or is corrupt
   * @throws a system error if the blob exists but cannot be read now
   */
  read(sha256: string): Promise<Uint8Array | undefined>;
  /**
   * Provides complete blobs as files until `work` ends, so that another thread can read them. Blobs that do not exist or are corrupt may be
   * missing in `paths`, which has the SHA-256 as key.
   */
  withFiles<Result>(
    digests: readonly string[],
    work: (paths: ReadonlyMap<string, string>) => Promise<Result>,
  ): Promise<Result>;
  /** Removes a blob with its unfinished uploads or, with an uploader, only its unfinished upload. */
  remove(sha256: string, uploader?: string): Promise<void>;
  /** Returns complete blobs and unfinished uploads that were last written before `at`, in milliseconds since 1970. */
  olderThan(at: number): Promise<readonly StoredBlob[]>;
  /** Returns the total size and the number of all unfinished uploads, or of those of an uploader. */
  pending(uploader?: string): Promise<UploadAmount>;
  /**
   * Returns the location of a blob for a reverse proxy: its path in the blob folder, or the path and query of a presigned URL. The location
   * has no slash at the start.
   */
  location(sha256: string): Promise<string>;
  /** Returns the free space, and the space that is reserved for records. The free space is infinite if the store reports no limit. */
  room(): Promise<{ readonly freeBytes: number; readonly reserveBytes: number }>;
  /** Returns the seals of the databases to which the blobs belong: more than one if an older copy was copied over newer blobs. */
  seals(): Promise<readonly BlobSeal[]>;
  /** Replaces all seals. */
  setSeal(seal: BlobSeal): Promise<void>;
}

/** Identity of a database, stored with its blobs. Without it, a lost or older database could not be detected. */
export interface BlobSeal {
  /** Lower-case letters, digits and hyphens. */
  readonly database: string;
  /** Number of times the data was sealed. */
  readonly seals: number;
}

/** Thrown by `append` if an upload would use the disk space that must stay free. The upload is removed. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
  /** Same code as the operating system's error for a full disk, so that both errors are handled in the same way. */
  readonly code = 'ENOSPC';
}

/** Total size and number of uploads. */
export interface UploadAmount {
  readonly bytes: number;
  readonly files: number;
}

export interface StoredBlob extends UploadState {
  /** Uploader of an unfinished upload. */
  readonly uploader?: string | undefined;
}

export interface UploadPiece {
  /** Sender of the bytes, lower-case letters and digits; undefined if the sender may know which blobs exist. */
  readonly uploader?: string | undefined;
  readonly offset: number;
  readonly totalBytes: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}
