import { existsSync, lstatSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readFailure, readRegularSync } from '../../files/bounded-read.ts';

/** Git repository that has a work tree. */
export interface GitRepository {
  /** Root of the work tree: the folder that contains `.git`. */
  readonly workTree: string;
  /** Folder that contains the index: `.git`, or the target of the `.git` file in a linked work tree or submodule. */
  readonly gitFolder: string;
  /** Folder shared by all work trees. Differs from `gitFolder` only in a linked work tree. */
  readonly commonFolder: string;
}

/** Maximum size of a `.git` or `commondir` file. Each of these files is one line with a path. */
const longestPointerBytes = 65_536;

/**
 * Finds a folder's repository by reading its files. Git is not run, because it executes commands from the repository configuration
 * (`core.fsmonitor`).
 *
 * @param folder an absolute path without symbolic links
 * @returns 'none' outside a repository; 'unreadable' if `.git` exists but cannot be read
 */
export function findRepository(folder: string): GitRepository | 'none' | 'unreadable' {
  for (let workTree = folder; ; workTree = dirname(workTree)) {
    const found = repositoryAt(workTree);
    if (found !== 'none' || dirname(workTree) === workTree) return found;
  }
}

function repositoryAt(workTree: string): GitRepository | 'none' | 'unreadable' {
  const dotGit = join(workTree, '.git');
  const kind = kindOf(dotGit);
  // Like git, this search skips a folder named .git that is not a repository.
  if (kind === 'folder') return repositoryIn(dotGit, workTree) ?? 'none';
  if (kind !== 'file') return kind;
  const target = /^gitdir: (.+)$/s.exec(readPointer(dotGit) ?? '')?.[1];
  if (target === undefined) return 'unreadable';
  return repositoryIn(resolve(workTree, target), workTree) ?? 'unreadable';
}

function kindOf(dotGit: string): 'folder' | 'file' | 'none' | 'unreadable' {
  try {
    const found = statSync(dotGit, { throwIfNoEntry: false });
    if (found?.isDirectory()) return 'folder';
    return found?.isFile() ? 'file' : 'none';
  } catch {
    return 'unreadable';
  }
}

function repositoryIn(gitFolder: string, workTree: string): GitRepository | undefined {
  const shared = readPointer(join(gitFolder, 'commondir'));
  const commonFolder = shared === undefined ? gitFolder : resolve(gitFolder, shared);
  const isRepository = isThere(join(gitFolder, 'HEAD')) && existsSync(join(commonFolder, 'objects'));
  return isRepository ? { workTree, gitFolder, commonFolder } : undefined;
}

function readPointer(path: string): string | undefined {
  const bytes = readRegularFile(path, longestPointerBytes);
  return typeof bytes === 'string' ? undefined : bytes.toString('utf8').replace(/[\r\n]+$/, '');
}

/**
 * Returns true if an entry exists. Links are not followed: in old versions of git, HEAD is a symbolic link to a branch that may not exist
 * yet.
 */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Reads a file in a possibly untrusted repository.
 *
 * @returns 'absent', or 'unreadable' for anything that is not a regular file of at most `limitBytes`
 */
export function readRegularFile(path: string, limitBytes: number): Buffer | 'absent' | 'unreadable' {
  try {
    return readRegularSync(path, limitBytes);
  } catch (error) {
    const reason = readFailure(error);
    return reason === 'ENOENT' || reason === 'ENOTDIR' ? 'absent' : 'unreadable';
  }
}
