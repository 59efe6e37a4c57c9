import { realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { type GitIndex, readGitIndex, type SharedIndex } from './git-index.ts';
import { findRepository, type GitRepository, readRegularFile } from './git-repository.ts';

/** Git tracking state of a file. `unknown`: the repository's index cannot be read, or does not list the files in the folder. */
export type GitTracking = 'tracked' | 'untracked' | 'unknown';

/** Maximum size of an index. The index of the Linux kernel repository is 9 MB. */
const largestIndexBytes = 64 * 1024 * 1024;

/**
 * Looks up a file in the index of its repository. Git is not run, because it would execute commands from the repository configuration.
 * The file is read synchronously, because many small asynchronous reads would slow down every build.
 */
export function gitTracking(path: string): GitTracking {
  const real = realPath(path);
  if (real === undefined) return 'untracked';
  const repository = findRepository(dirname(real));
  if (typeof repository === 'string') return repository === 'none' ? 'untracked' : 'unknown';
  const index = readIndex(join(repository.gitFolder, 'index'));
  if (typeof index === 'string') return index === 'absent' ? 'untracked' : 'unknown';
  const name = relative(repository.workTree, real).split(sep).join('/');
  const wanted = comparable(Buffer.from(name, 'utf8').toString('latin1'));
  const own = lookUp(wanted, index.paths);
  return own === 'untracked' && index.base !== undefined ? lookUpInBase(wanted, index.base, repository) : own;
}

/** Resolves symbolic links, because git tracks a file at its real path. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

function readIndex(path: string): GitIndex | 'absent' | 'unreadable' {
  const bytes = readRegularFile(path, largestIndexBytes);
  return typeof bytes === 'string' ? bytes : (readGitIndex(bytes) ?? 'unreadable');
}

function lookUpInBase(wanted: string, { id, isDropped }: SharedIndex, { gitFolder }: GitRepository): GitTracking {
  const base = readIndex(join(gitFolder, `sharedindex.${id}`));
  return typeof base === 'string' || base.base !== undefined ? 'unknown' : lookUp(wanted, base.paths, isDropped);
}

/** Searches the paths. A path with a trailing slash is a folder in a sparse index, whose files are not listed. */
function lookUp(
  wanted: string,
  paths: readonly string[],
  isDropped: (position: number) => boolean = () => false,
): GitTracking {
  const found = paths.flatMap((path, position) => {
    const listed = comparable(path);
    if (listed === wanted) return isDropped(position) ? [] : (['tracked'] as const);
    const isAbove = listed.endsWith('/') && wanted.startsWith(listed) && !isDropped(position);
    return isAbove ? (['unknown'] as const) : [];
  });
  return found[0] ?? 'untracked';
}

/** Normalizes a path for comparison. Windows and macOS ignore case, and macOS may use a Unicode form that differs from git's. */
function comparable(path: string): string {
  if (process.platform !== 'win32' && process.platform !== 'darwin') return path;
  return Buffer.from(path, 'latin1').toString('utf8').normalize('NFC').toLowerCase();
}
