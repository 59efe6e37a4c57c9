import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat, statfs, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import AsyncLock from 'async-lock';
import type { UploadState } from '../../../api/release.ts';
import { moveFile, unfinishedCopyOf } from '../../../files/move.ts';
import { syncFile } from '../../../files/sync.ts';
import { type BlobStore, NoRoomError, type UploadPiece } from '../blob-store.ts';
import { parseSealName, sealName } from './seal-name.ts';

const sliceBytes = 1024 * 1024;
/** Disk space reserved for records, or a tenth of a small disk. The space is enough for the records of many months. */
const mostReserveBytes = 64 * 1024 * 1024;
const sealNote = 'The name of this file identifies the database that belongs to this folder. Do not delete it.\n';

/**
 * Stores blobs as files: `blobs/ab/ab12…` once complete, `uploads/ab12….UPLOADER.part` until then. An upload is flushed and verified before it is
 * moved to its final name, which may be on a different file system. A complete blob is never written again.
 *
 * @param options with `isReadOnly`, missing folders are not created
 */
export async function folderBlobs(folder: string, { isReadOnly = false } = {}): Promise<BlobStore> {
  const blobs = join(folder, 'blobs');
  const uploads = join(folder, 'uploads');
  for (const path of isReadOnly ? [] : [blobs, uploads]) await mkdir(path, { recursive: true });
  const lock = new AsyncLock({ maxPending: Number.POSITIVE_INFINITY });
  /** Sizes of the uploads that are being written. */
  let promisedBytes = 0;
  const pathOf = (sha256: string) => join(blobs, sha256.slice(0, 2), sha256);
  const partOf = (sha256: string, uploader?: string) => join(uploads, sha256 + partSuffix(uploader));

  async function state(sha256: string, uploader?: string): Promise<UploadState> {
    const complete = uploader === undefined ? await sizeOf(pathOf(sha256)) : undefined;
    if (complete !== undefined) return { sha256, offset: complete, complete: true };
    return { sha256, offset: (await sizeOf(partOf(sha256, uploader))) ?? 0, complete: false };
  }

  async function append(sha256: string, piece: UploadPiece): Promise<UploadState | 'digest-mismatch' | 'offset'> {
    const before = await state(sha256, piece.uploader);
    if (before.complete) return before;
    if (before.offset !== piece.offset) return 'offset';
    const part = partOf(sha256, piece.uploader);
    const offset = await writeWithinRoom(part, piece);
    if (offset < piece.totalBytes) return { sha256, offset, complete: false };
    const isSound = offset === piece.totalBytes && (await digestOf(await readFile(part))) === sha256;
    if (!isSound) {
      await rm(part, { force: true });
      return 'digest-mismatch';
    }
    await putInPlace(part, pathOf(sha256));
    return { sha256, offset, complete: true };
  }

  /** Removes the upload if the disk is full, so that it does not use the space that is reserved for records. */
  async function writeWithinRoom(part: string, piece: UploadPiece): Promise<number> {
    const wantedBytes = piece.totalBytes - piece.offset;
    promisedBytes += wantedBytes;
    try {
      const { freeBytes, reserveBytes } = await room();
      if (freeBytes - promisedBytes < reserveBytes) throw new NoRoomError('the disk has no room for the upload');
      return await writePiece(part, piece);
    } catch (error) {
      if (isDiskFull(error)) await rm(part, { force: true });
      throw error;
    } finally {
      promisedBytes -= wantedBytes;
    }
  }

  async function room() {
    const { bavail, blocks, bsize } = await statfs(uploads);
    const reserveBytes = Math.min(mostReserveBytes, (blocks * bsize) / 10);
    return { freeBytes: bavail * bsize, reserveBytes };
  }

  return {
    // Its folders exist. A full or damaged disk is reported by the health checks.
    check: async () => undefined,
    state,
    room,
    append: (sha256, piece) => lock.acquire(sha256, () => append(sha256, piece)),

    async read(sha256) {
      const bytes = await readFile(pathOf(sha256)).catch(undefinedIfMissing);
      return bytes !== undefined && (await digestOf(bytes)) === sha256 ? bytes : undefined;
    },

    withFiles: (digests, work) => work(new Map(digests.map((sha256) => [sha256, pathOf(sha256)]))),

    remove: (sha256, uploader) =>
      lock.acquire(sha256, async () => {
        if (uploader === undefined) {
          for (const file of [pathOf(sha256), unfinishedCopyOf(pathOf(sha256))]) await rm(file, { force: true });
        }
        const parts = (await readdir(uploads)).filter((name) => name.startsWith(sha256));
        const own = parts.filter((name) => uploader === undefined || name.endsWith(partSuffix(uploader)));
        for (const name of own) await rm(join(uploads, name), { force: true });
      }),

    async olderThan(at) {
      const found = await Promise.all((await filesIn(folder)).map((path) => modifiedBefore(path, at)));
      const states = found.map(async (path) => {
        const [, sha256, uploader] = /([0-9a-f]{64})(?:\.(?:([0-9a-z]+)\.)?part)?$/.exec(path ?? '') ?? [];
        return sha256 === undefined ? [] : [{ ...(await state(sha256, uploader)), ...(uploader && { uploader }) }];
      });
      return (await Promise.all(states)).flat();
    },

    async pending(uploader) {
      const names = await readdir(uploads);
      const own = names.filter((name) => uploader === undefined || name.endsWith(partSuffix(uploader)));
      const sizes = await Promise.all(own.map((name) => sizeOf(join(uploads, name))));
      return { bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0), files: own.length };
    },

    location: async (sha256) => `${sha256.slice(0, 2)}/${sha256}`,

    seals: async () => (await sealNames(blobs)).flatMap((name) => parseSealName(name) ?? []),

    async setSeal(seal) {
      const before = await sealNames(blobs);
      const name = sealName(seal);
      await writeFile(join(blobs, name), sealNote);
      await syncFolder(blobs);
      for (const old of before) if (old !== name) await rm(join(blobs, old), { force: true });
    },
  };
}

function partSuffix(uploader: string | undefined): string {
  return uploader === undefined ? '.part' : `.${uploader}.part`;
}

/** Appends a piece to a partial upload. Bytes received before the connection was lost are kept, and the next piece continues from there. */
async function writePiece(part: string, { offset, totalBytes, chunks }: UploadPiece): Promise<number> {
  const file = await open(part, 'a');
  let written = offset;
  try {
    for await (const chunk of chunks) {
      if (written + chunk.length > totalBytes) return Number.POSITIVE_INFINITY;
      await file.writeFile(chunk);
      written += chunk.length;
    }
    if (written === totalBytes) await syncFile(file);
  } finally {
    await file.close();
  }
  return written;
}

/**
 * Moves a complete upload to its final name. The file has already been flushed. The folders are flushed after the move, so that a name
 * never refers to a partial blob.
 */
async function putInPlace(part: string, path: string): Promise<void> {
  const now = new Date();
  if ((await sizeOf(path)) !== undefined) {
    // The blob already exists. Its new modification time protects it from removal until it is published.
    await utimes(path, now, now);
    return rm(part);
  }
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  await moveFile(part, path);
  for (const changed of [folder, dirname(folder)]) await syncFolder(changed);
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // Folders cannot be flushed on Windows; NTFS journals their entries.
  } finally {
    await handle?.close();
  }
}

async function sealNames(blobs: string): Promise<readonly string[]> {
  const names = (await readdir(blobs).catch(undefinedIfMissing)) ?? [];
  return names.filter((name) => parseSealName(name) !== undefined);
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await Promise.all(
    ['blobs', 'uploads'].map((name) =>
      readdir(join(folder, name), { recursive: true, withFileTypes: true }).catch(undefinedIfMissing),
    ),
  );
  return entries
    .flatMap((found) => found ?? [])
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

async function modifiedBefore(path: string, at: number): Promise<string | undefined> {
  const found = await stat(path).catch(undefinedIfMissing);
  return found !== undefined && found.mtimeMs < at ? path : undefined;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(undefinedIfMissing))?.size;
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** Treats only a missing file as absent. After any other error, such as too many open files, it is unknown whether the file exists. */
function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}

/** Computes the digest in slices: hashing 16 MiB in one step would delay device requests. */
async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    hash.update(bytes.subarray(at, at + sliceBytes));
    await setImmediate();
  }
  return hash.digest('hex');
}
