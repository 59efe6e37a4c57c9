import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, lstat, mkdir, open, readdir, realpath, rename, rm, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OtaError } from '../errors/ota-error.ts';
import { readRegular } from './bounded-read.ts';
import { retryWhileInUse } from './retry.ts';
import { syncFile } from './sync.ts';

/**
 * Writes a file atomically: a temporary file in the same folder is written, synced and renamed, so that a partial file is never visible.
 *
 * @param mode file permissions; defaults to the permissions of a new file
 * @throws OtaError FOLDER_MISSING, FILE_UNWRITABLE
 */
export async function writeAtomically(path: string, content: Uint8Array | string, mode?: number): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      if (mode !== undefined) await file.chmod(mode);
      await file.writeFile(content);
      await syncFile(file);
    } finally {
      await file.close();
    }
    await retryWhileInUse(() => rename(temporary, path));
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(path, cause);
  }
}

/** Rewrites a user's file like {@link writeAtomically}. Unlike that function, it follows symbolic links and keeps the permissions. */
export async function rewriteFile(path: string, content: Uint8Array | string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (found) => found.mode & 0o777,
    () => undefined,
  );
  await writeAtomically(target, content, mode);
}

/**
 * Writes a file like {@link writeAtomically} if the content has changed. Otherwise, the file keeps its timestamp, which build tools
 * compare.
 */
export async function writeIfChanged(path: string, content: string): Promise<'written' | 'unchanged'> {
  const present = await readRegular(path).catch(() => undefined);
  if (present?.toString('utf8') === content) return 'unchanged';
  await writeAtomically(path, content);
  return 'written';
}

/**
 * Removes files. Missing files are ignored. If a file cannot be removed, the others are still removed.
 *
 * @throws OtaError FILE_UNREMOVABLE, FILE_UNWRITABLE
 */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  const left: string[] = [];
  let reason = '';
  for (const path of paths) {
    // `rm` would report EPERM as ENOTDIR.
    await retryWhileInUse(() => unlink(path)).catch(async (cause: NodeJS.ErrnoException) => {
      // On a read-only disk, `unlink` reports EROFS for a missing file, too.
      if (await isMissing(path)) return;
      reason ||= cause.code ?? String(cause);
      left.push(path);
    });
  }
  const [path] = left;
  if (path === undefined) return;
  // A folder in the place of an output is not a file of an earlier build, and nothing can be removed from a read-only disk.
  const isOther = reason === 'EROFS' || (left.length === 1 && reason === 'EISDIR');
  if (isOther) throw new OtaError('FILE_UNWRITABLE', { path, reason });
  throw new OtaError('FILE_UNREMOVABLE', { paths: left, reason });
}

async function isMissing(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    () => true,
  );
}

/**
 * Removes files, and temporary files from interrupted writes to these files.
 *
 * @throws OtaError FILE_UNREMOVABLE
 */
export async function removeLeftovers(paths: readonly string[]): Promise<void> {
  const temporary = await Promise.all(paths.map(temporaryFilesOf));
  await removeFiles([...paths, ...temporary.flat()]);
}

async function temporaryFilesOf(path: string): Promise<readonly string[]> {
  const folder = dirname(path);
  const prefix = `.${basename(path)}.`;
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.startsWith(prefix) && name.endsWith('.tmp')).map((name) => join(folder, name));
}

/**
 * Creates the folder of a file, including all parent folders.
 *
 * @throws OtaError FILE_UNWRITABLE
 */
export async function makeFolderOf(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    // On a read-only disk, mkdir fails with ENOENT. access() on the nearest existing folder reports the actual reason.
    const denial = await access(nearestThatExists(folder), constants.W_OK).catch((reason: unknown) => reason);
    throw writeError(path, denial ?? cause);
  }
}

function nearestThatExists(folder: string): string {
  return existsSync(folder) ? folder : nearestThatExists(dirname(folder));
}

/** Converts the error of a failed system call into an error for users. */
export function writeError(path: string, cause: unknown): OtaError {
  // Errors from fs are system errors with a code.
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  if (code === 'ENOENT') return new OtaError('FOLDER_MISSING', { path }, cause);
  return new OtaError('FILE_UNWRITABLE', { path, reason: code }, cause);
}
