import { constants } from 'node:fs';
import { lstat, open, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** A git repository with a work tree. */
export interface GitRepository {
  /** The root of the work tree, the folder that holds `.git`. */
  readonly workTree: string;
  /** The folder with the index: `.git` itself, or where a `.git` file of a linked work tree or a submodule points. */
  readonly gitFolder: string;
  /** The folder that all work trees share. It equals `gitFolder` except in a linked work tree. */
  readonly commonFolder: string;
}

/** Larger than any `.git` or `commondir` file: one line with a path. */
const longestPointerBytes = 65_536;

/**
 * Finds the repository of a folder from its files. Git itself is not run: it executes commands that the repository's own configuration
 * names (`core.fsmonitor`).
 *
 * @param folder an absolute path without symbolic links
 * @returns 'none' outside of a repository; 'unreadable' if a `.git` is there and cannot be followed
 */
export async function findRepository(folder: string): Promise<GitRepository | 'none' | 'unreadable'> {
  for (let workTree = folder; ; workTree = dirname(workTree)) {
    const found = await repositoryAt(workTree);
    if (found !== 'none' || dirname(workTree) === workTree) return found;
  }
}

async function repositoryAt(workTree: string): Promise<GitRepository | 'none' | 'unreadable'> {
  const dotGit = join(workTree, '.git');
  const found = await stat(dotGit).catch((error: NodeJS.ErrnoException) => error.code ?? 'EIO');
  if (typeof found === 'string') return found === 'ENOENT' || found === 'ENOTDIR' ? 'none' : 'unreadable';
  // Like git, skip a folder named .git that is not a repository.
  if (found.isDirectory()) return (await repositoryIn(dotGit, workTree)) ?? 'none';
  if (!found.isFile()) return 'none';
  const pointer = await readPointer(dotGit);
  const target = pointer === undefined ? undefined : /^gitdir: (.+)$/s.exec(pointer)?.[1];
  if (target === undefined) return 'unreadable';
  return (await repositoryIn(resolve(workTree, target), workTree)) ?? 'unreadable';
}

async function repositoryIn(gitFolder: string, workTree: string): Promise<GitRepository | undefined> {
  const shared = await readPointer(join(gitFolder, 'commondir'));
  const commonFolder = shared === undefined ? gitFolder : resolve(gitFolder, shared);
  const isRepository = (await isThere(join(gitFolder, 'HEAD'))) && (await isThere(join(commonFolder, 'objects')));
  return isRepository ? { workTree, gitFolder, commonFolder } : undefined;
}

async function readPointer(path: string): Promise<string | undefined> {
  const bytes = await readRegularFile(path, longestPointerBytes);
  return typeof bytes === 'string' ? undefined : bytes.toString('utf8').replace(/[\r\n]+$/, '');
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Reads a file of a repository, which may come from a stranger: only a regular file (a pipe would never end), and only up to a size.
 *
 * @returns 'absent', or 'unreadable' for anything that is not a regular file of at most `limitBytes`
 */
export async function readRegularFile(path: string, limitBytes: number): Promise<Buffer | 'absent' | 'unreadable'> {
  try {
    // Without O_NONBLOCK, which Windows lacks and does not need, opening a pipe waits for its writer.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const { size, isRegular } = await file.stat().then((found) => ({ size: found.size, isRegular: found.isFile() }));
      return isRegular && size <= limitBytes ? await file.readFile() : 'unreadable';
    } finally {
      await file.close();
    }
  } catch (error) {
    // fs rejects with a system error.
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : 'unreadable';
  }
}
