import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { mostBlobBytes, type UploadState } from '../../../../api/release.ts';
import type { BlobSeal, BlobStore, StoredBlob, UploadPiece } from '../../blob-store.ts';
import { BlobsUnavailableError } from '../../store-unavailable.ts';
import { parseSealName, sealName } from '../seal-name.ts';
import { S3Client, type S3Content } from './s3-client.ts';
import type { S3Object } from './s3-documents.ts';
import type { S3Settings } from './s3-settings.ts';
import { requireUsableBucket } from './usable-bucket.ts';

/** Size of the objects that store an unfinished upload, and memory that an upload needs. */
const pieceBytes = 1024 * 1024;

/** Upload without an uploader, whose name never contains a hyphen. */
const anyUploader = '-';

/** Thrown while the pieces of an upload are put together, so that the store does not create an object. */
class DigestMismatchError extends Error {}

/**
 * Uses a bucket as a blob store. Blobs are objects such as `blobs/ab/ab12…`, as in a folder. An unfinished upload is stored as objects
 * `uploads/UPLOADER/SHA256/OFFSET`, so that any process can continue it. A damaged blob is moved to `damaged/SHA256`, so that no process
 * sends it, and the blob can be uploaded again.
 *
 * @param options with `isReadOnly`, the bucket is not tested by writing to it
 */
export function s3Blobs(settings: S3Settings, { isReadOnly = false } = {}): BlobStore {
  return new S3Blobs(settings, isReadOnly);
}

class S3Blobs implements BlobStore {
  readonly #client: S3Client;
  readonly #settings: S3Settings;
  readonly #isReadOnly: boolean;

  constructor(settings: S3Settings, isReadOnly: boolean) {
    this.#client = new S3Client(settings);
    this.#settings = settings;
    this.#isReadOnly = isReadOnly;
  }

  /** @throws OtaError S3_UNREACHABLE, S3_BUCKET_MISSING, S3_REJECTED, S3_OVERWRITES */
  async check(): Promise<void> {
    await requireUsableBucket(this.#client, this.#settings, { isReadOnly: this.#isReadOnly });
  }

  async state(sha256: string, uploader?: string): Promise<UploadState> {
    const complete = uploader === undefined ? await this.#client.size(blobKey(sha256)) : undefined;
    if (complete !== undefined) return { sha256, offset: complete, complete: true };
    return { sha256, offset: endOf(await this.#pieces(sha256, uploader)), complete: false };
  }

  async append(sha256: string, piece: UploadPiece): Promise<UploadState | 'digest-mismatch' | 'offset'> {
    const { uploader, totalBytes } = piece;
    const before = await this.state(sha256, uploader);
    if (before.complete) return before;
    if (before.offset !== piece.offset) return 'offset';
    const offset = await this.#writePieces(sha256, piece);
    if (offset === 'offset') return 'offset';
    if (offset < totalBytes) return { sha256, offset, complete: false };
    const outcome = offset === totalBytes ? await this.#complete(sha256, totalBytes, uploader) : 'digest-mismatch';
    if (outcome === 'offset') return 'offset';
    await this.#removeAll(pieceKey(sha256, uploader));
    return outcome === 'complete' ? { sha256, offset, complete: true } : 'digest-mismatch';
  }

  async read(sha256: string): Promise<Uint8Array | undefined> {
    const first = await this.#readOnce(sha256);
    if (first === undefined || first.isSound) return first?.bytes;
    // The network could have changed the bytes, so an object is damaged only if a second read also fails.
    const second = await this.#readOnce(sha256);
    if (second === undefined || second.isSound) return second?.bytes;
    if (await this.#client.copy(blobKey(sha256), `damaged/${sha256}`)) await this.#client.remove(blobKey(sha256));
    return undefined;
  }

  async withFiles<Result>(
    digests: readonly string[],
    work: (paths: ReadonlyMap<string, string>) => Promise<Result>,
  ): Promise<Result> {
    const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-blobs-'));
    try {
      const paths = new Map<string, string>();
      for (const sha256 of digests) {
        const bytes = await this.read(sha256);
        if (bytes === undefined) continue;
        paths.set(sha256, join(folder, sha256));
        await writeFile(join(folder, sha256), bytes, { mode: 0o600 });
      }
      return await work(paths);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async remove(sha256: string, uploader?: string): Promise<void> {
    if (uploader !== undefined) return this.#removeAll(pieceKey(sha256, uploader));
    await this.#client.remove(blobKey(sha256));
    for await (const { key } of this.#client.list('uploads/')) {
      if (parsePiece(key)?.sha256 === sha256) await this.#client.remove(key);
    }
  }

  async olderThan(at: number): Promise<readonly StoredBlob[]> {
    const found: StoredBlob[] = [];
    for await (const { key, sizeBytes, modifiedAt } of this.#client.list('blobs/')) {
      const [, sha256] = /^blobs\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(key) ?? [];
      if (sha256 !== undefined && modifiedAt < at) found.push({ sha256, offset: sizeBytes, complete: true });
    }
    for (const pieces of (await this.#uploads()).values()) {
      const [first] = pieces;
      if (first === undefined || pieces.some(({ modifiedAt }) => modifiedAt >= at)) continue;
      const { sha256, uploader } = first;
      found.push({ sha256, offset: endOf(pieces), complete: false, uploader });
    }
    return found;
  }

  async pending(uploader?: string) {
    const uploads = await this.#uploads(uploader);
    const pieces = [...uploads.values()].flat();
    return { bytes: pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), files: uploads.size };
  }

  location(sha256: string): Promise<string> {
    return this.#client.presigned(blobKey(sha256));
  }

  /** Sends a request, so that health checks detect an outage. */
  async room() {
    for await (const _ of this.#client.list('blobs/', 1)) break;
    return { freeBytes: Number.POSITIVE_INFINITY, reserveBytes: 0 };
  }

  async seals(): Promise<readonly BlobSeal[]> {
    const seals: BlobSeal[] = [];
    for await (const { key } of this.#client.list('database-')) {
      const seal = parseSealName(key);
      if (seal !== undefined) seals.push(seal);
    }
    return seals;
  }

  async setSeal(seal: BlobSeal): Promise<void> {
    const before = await this.seals();
    const name = sealName(seal);
    await this.#client.create(name, bodyOf(new Uint8Array()));
    for (const old of before.map(sealName)) if (old !== name) await this.#client.remove(old);
  }

  /** Stores the bytes in pieces. Bytes received before the connection was lost are kept, and the next request continues from there. */
  async #writePieces(
    sha256: string,
    { uploader, offset, totalBytes, chunks }: UploadPiece,
  ): Promise<number | 'offset'> {
    let end = offset;
    let buffered: Uint8Array[] = [];
    let bufferedBytes = 0;
    const flush = async (): Promise<boolean> => {
      if (bufferedBytes === 0) return true;
      const isOwn = await this.#createPiece(`${pieceKey(sha256, uploader)}${end}`, Buffer.concat(buffered));
      end += bufferedBytes;
      buffered = [];
      bufferedBytes = 0;
      return isOwn;
    };
    try {
      for await (const chunk of chunks) {
        if (end + bufferedBytes + chunk.length > totalBytes) return Number.POSITIVE_INFINITY;
        buffered.push(chunk);
        bufferedBytes += chunk.length;
        // A different request for the same upload has stored this piece.
        if (bufferedBytes >= pieceBytes && !(await flush())) return 'offset';
      }
    } catch (error) {
      await flush();
      throw error;
    }
    return (await flush()) ? end : 'offset';
  }

  /**
   * Stores a piece. If the response to the first try was lost, the second try finds the object.
   *
   * @returns false if the object has different bytes, because a different request has stored it
   */
  async #createPiece(key: string, bytes: Buffer): Promise<boolean> {
    if (await this.#client.create(key, bodyOf(bytes))) return true;
    const existing = await this.#client.read(key);
    return existing !== undefined && bytes.equals(await buffer(existing.chunks));
  }

  /**
   * Puts the pieces of an upload together.
   *
   * @returns digest-mismatch: the bytes do not match the digest. offset: a different request has ended the upload and removed its pieces
   */
  async #complete(
    sha256: string,
    sizeBytes: number,
    uploader: string | undefined,
  ): Promise<'complete' | 'digest-mismatch' | 'offset'> {
    const pieces = await this.#pieces(sha256, uploader);
    if (endOf(pieces) !== sizeBytes) return 'offset';
    const chunks = () => matching(sha256, this.#bytesOf(pieces));
    const key = blobKey(sha256);
    try {
      if (
        (await this.#client.size(key)) === undefined &&
        (await this.#client.create(key, { sizeBytes, sha256, chunks }))
      ) {
        return 'complete';
      }
      // The blob already exists. Its new modification time protects it from removal until it is published.
      for await (const _ of chunks());
      if (await this.#client.copy(key, key)) return 'complete';
      throw new BlobsUnavailableError('the S3 store did not create the blob: a different request was creating it');
    } catch (error) {
      if (!(error instanceof DigestMismatchError)) throw error;
      return endOf(await this.#pieces(sha256, uploader)) === sizeBytes ? 'digest-mismatch' : 'offset';
    }
  }

  async *#bytesOf(pieces: readonly Piece[]): AsyncGenerator<Uint8Array> {
    for (const { key } of pieces) yield* (await this.#client.read(key))?.chunks ?? [];
  }

  async #pieces(sha256: string, uploader: string | undefined): Promise<readonly Piece[]> {
    return consecutive(await this.#listPieces(pieceKey(sha256, uploader)));
  }

  async #listPieces(start: string): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for await (const object of this.#client.list(start)) {
      const name = parsePiece(object.key);
      if (name !== undefined) pieces.push({ ...object, ...name });
    }
    return pieces;
  }

  /** Returns the pieces of all unfinished uploads, or of those of an uploader, by upload. */
  async #uploads(uploader?: string): Promise<ReadonlyMap<string, readonly Piece[]>> {
    const uploads = new Map<string, Piece[]>();
    for (const piece of await this.#listPieces(uploader === undefined ? 'uploads/' : `uploads/${uploader}/`)) {
      const name = pieceKey(piece.sha256, piece.uploader);
      uploads.set(name, [...(uploads.get(name) ?? []), piece]);
    }
    return uploads;
  }

  async #removeAll(start: string): Promise<void> {
    for (const { key } of await this.#listPieces(start)) await this.#client.remove(key);
  }

  async #readOnce(sha256: string): Promise<{ readonly bytes: Uint8Array; readonly isSound: boolean } | undefined> {
    const content = await this.#client.read(blobKey(sha256));
    return content && bytesOf(content, sha256);
  }
}

interface Piece extends S3Object {
  readonly sha256: string;
  readonly uploader: string | undefined;
  readonly offset: number;
}

function blobKey(sha256: string): string {
  return `blobs/${sha256.slice(0, 2)}/${sha256}`;
}

/** Start of the keys of an upload. */
function pieceKey(sha256: string, uploader: string | undefined): string {
  return `uploads/${uploader ?? anyUploader}/${sha256}/`;
}

function parsePiece(key: string): Pick<Piece, 'sha256' | 'uploader' | 'offset'> | undefined {
  const [, uploader, sha256, offset] = /^uploads\/([0-9a-z]+|-)\/([0-9a-f]{64})\/(\d{1,10})$/.exec(key) ?? [];
  if (sha256 === undefined) return undefined;
  return { sha256, uploader: uploader === anyUploader ? undefined : uploader, offset: Number(offset) };
}

/** Returns the pieces from the start of the upload up to the first gap. */
function consecutive(pieces: readonly Piece[]): readonly Piece[] {
  const sorted = [...pieces].sort((a, b) => a.offset - b.offset);
  let end = 0;
  return sorted.filter(({ offset, sizeBytes }) => {
    if (offset !== end) return false;
    end += sizeBytes;
    return true;
  });
}

function endOf(pieces: readonly Piece[]): number {
  return consecutive(pieces).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function bodyOf(bytes: Uint8Array) {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { sizeBytes: bytes.length, sha256, chunks: () => iterate([bytes]) };
}

/** Yields the bytes, and holds the last chunk back until the digest matches: not all stores check it themselves. */
async function* matching(sha256: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let held: Uint8Array | undefined;
  for await (const chunk of chunks) {
    if (held !== undefined) yield held;
    hash.update(chunk);
    held = chunk;
  }
  if (hash.digest('hex') !== sha256) throw new DigestMismatchError();
  if (held !== undefined) yield held;
}

/** Reads an object into one buffer, and computes its digest chunk by chunk, so that device requests are not delayed. */
async function bytesOf({ sizeBytes, chunks }: S3Content, sha256: string) {
  const bytes = Buffer.allocUnsafeSlow(Math.min(sizeBytes, mostBlobBytes));
  const hash = createHash('sha256');
  let end = 0;
  for await (const chunk of chunks) {
    if (end + chunk.length > bytes.length) return { bytes, isSound: false };
    bytes.set(chunk, end);
    hash.update(chunk);
    end += chunk.length;
  }
  return { bytes, isSound: end === sizeBytes && hash.digest('hex') === sha256 };
}

async function* iterate<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
