import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OtaError } from '../errors/ota-error.ts';
import { retryWhileInUse } from './retry.ts';

/**
 * Writes a file so that its name never shows half of it: a temporary file beside it, flushed, then renamed.
 *
 * @param mode its permissions; by default those of any new file
 * @throws OtaError FOLDER_MISSING, FILE_UNWRITABLE
 */
export async function writeAtomically(path: string, content: Uint8Array | string, mode?: number): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      if (mode !== undefined) await file.chmod(mode);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await retryWhileInUse(() => rename(temporary, path));
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(path, cause);
  }
}

/** As {@link writeAtomically} for a file of the user's own: a link stays a link, and permissions stay what they were. */
export async function rewriteFile(path: string, content: Uint8Array | string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (found) => found.mode & 0o777,
    () => undefined,
  );
  await writeAtomically(target, content, mode);
}

/** As {@link writeAtomically}, but a file that holds this content already keeps its time stamp: a compiler takes it as unchanged. */
export async function writeIfChanged(path: string, content: string): Promise<'written' | 'unchanged'> {
  const present = await readFile(path, 'utf8').catch(() => undefined);
  if (present === content) return 'unchanged';
  await writeAtomically(path, content);
  return 'written';
}

/** Removes files if they are there. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await retryWhileInUse(() => rm(path, { force: true })).catch((cause) => {
      throw writeError(path, cause);
    });
  }
}

/**
 * Removes what stands at a path, and the temporary files of a writer that was killed half-way.
 *
 * @throws OtaError FILE_UNWRITABLE
 */
export async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `.${basename(path)}.`;
  const names = await readdir(folder).catch(() => []);
  const temporary = names.filter((name) => name.startsWith(prefix) && name.endsWith('.tmp'));
  await removeFiles([path, ...temporary.map((name) => join(folder, name))]);
}

/**
 * Makes the folder that a file is to lie in.
 *
 * @throws OtaError FILE_UNWRITABLE
 */
export async function makeFolderOf(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    // On a read-only disk this mkdir says ENOENT; what is there already says why.
    const denial = await access(nearestThatExists(folder), constants.W_OK).catch((reason: unknown) => reason);
    throw writeError(path, denial ?? cause);
  }
}

function nearestThatExists(folder: string): string {
  return existsSync(folder) ? folder : nearestThatExists(dirname(folder));
}

/** What a failed system call on `path` means to a user. */
export function writeError(path: string, cause: unknown): OtaError {
  // fs rejects with a system error, whose code says which.
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  if (code === 'ENOENT') return new OtaError('FOLDER_MISSING', { path }, cause);
  return new OtaError('FILE_UNWRITABLE', { path, reason: code }, cause);
}
