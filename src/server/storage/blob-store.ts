import type { UploadState } from '../../api/release.ts';

/** Bytes, addressed by their SHA-256. `test/server/storage/blob-contract.ts` defines the required behavior of a blob store. */
export interface BlobStore {
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
  /** Returns the file path of a complete blob, so that another thread can read the file. */
  path(sha256: string): string;
  /** Removes a blob with its unfinished uploads or, with an uploader, only its unfinished upload. */
  remove(sha256: string, uploader?: string): Promise<void>;
  /** Returns complete blobs and unfinished uploads that were last written before `at`, in milliseconds since 1970. */
  olderThan(at: number): Promise<readonly StoredBlob[]>;
  /** Returns the total size and the number of all unfinished uploads, or of those of an uploader. */
  pending(uploader?: string): Promise<UploadAmount>;
  /** Returns a blob's path relative to the blob folder, for a reverse proxy; undefined if the store has no such folder. */
  location(sha256: string): string | undefined;
  /** Returns the free space, and the space that is reserved for records. */
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

interface StoredBlob extends UploadState {
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
