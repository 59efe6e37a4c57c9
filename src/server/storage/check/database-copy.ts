import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { writeError } from '../../../files/write.ts';

/** Suffixes of SQLite's files for a database: the database, its journal in WAL mode, and its journal while that mode changes. */
const suffixes = ['', '-wal', '-journal'];
/** Maximum number of tries. A server writes about once a minute, so a write during a copy is rare. */
const mostTries = 5;

/** Copies a database into a temporary folder, runs `work` with the path of the copy, and removes the copy. */
export async function withDatabaseCopy<Result>(
  path: string,
  work: (copyPath: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-check-'));
  try {
    const copyPath = join(folder, 'ota.db');
    await copyDatabase(path, copyPath);
    return await work(copyPath);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Copies the files of a database. Because a server may be running, the copy is repeated until no file has changed in the meantime.
 *
 * @returns the suffixes of the copied files
 * @throws OtaError SERVER_DATA_IN_USE, FILE_UNWRITABLE
 */
export async function copyDatabase(path: string, copyPath: string): Promise<readonly string[]> {
  for (let tries = 0; tries < mostTries; tries++) {
    const before = await stateOf(path);
    const copied: string[] = [];
    for (const suffix of suffixes) {
      await rm(copyPath + suffix, { force: true });
      if (await copyIfThere(path + suffix, copyPath + suffix)) copied.push(suffix);
    }
    if ((await stateOf(path)) === before) return copied;
  }
  throw new OtaError('SERVER_DATA_IN_USE', { path, holder: undefined });
}

async function copyIfThere(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw writeError(to, error);
  }
}

async function stateOf(path: string): Promise<string> {
  const found = await Promise.all(suffixes.map((suffix) => stat(path + suffix).catch(() => undefined)));
  return found.map((file) => `${file?.ino} ${file?.size} ${file?.mtimeMs}`).join();
}
