import { realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { type GitIndex, readGitIndex, type SharedIndex } from './git-index.ts';
import { findRepository, type GitRepository, readRegularFile } from './git-repository.ts';

/** Whether git tracks a file. `unknown`: there is a repository, and its index cannot be read or does not say. */
export type GitTracking = 'tracked' | 'untracked' | 'unknown';

/** The index of the Linux kernel has 9 MB. */
const largestIndexBytes = 64 * 1024 * 1024;

/** Looks a file up in the index of its repository. No process is started: a hook runs in every build, and git would obey the repository. */
export async function gitTracking(path: string): Promise<GitTracking> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) return 'untracked';
  const repository = await findRepository(dirname(real));
  if (typeof repository === 'string') return repository === 'none' ? 'untracked' : 'unknown';
  const index = await readIndex(join(repository.gitFolder, 'index'));
  if (typeof index === 'string') return index === 'absent' ? 'untracked' : 'unknown';
  const name = relative(repository.workTree, real).split(sep).join('/');
  const wanted = comparable(Buffer.from(name, 'utf8').toString('latin1'));
  const own = lookUp(wanted, index.paths);
  return own === 'untracked' && index.base !== undefined ? lookUpInBase(wanted, index.base, repository) : own;
}

async function readIndex(path: string): Promise<GitIndex | 'absent' | 'unreadable'> {
  const bytes = await readRegularFile(path, largestIndexBytes);
  return typeof bytes === 'string' ? bytes : (readGitIndex(bytes) ?? 'unreadable');
}

async function lookUpInBase(
  wanted: string,
  { id, isDropped }: SharedIndex,
  { gitFolder }: GitRepository,
): Promise<GitTracking> {
  const base = await readIndex(join(gitFolder, `sharedindex.${id}`));
  return typeof base === 'string' || base.base !== undefined ? 'unknown' : lookUp(wanted, base.paths, isDropped);
}

/** A path that ends in a slash is a folder whose files a sparse index does not list. */
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

/** On systems whose file names ignore case, so do these comparisons; macOS also stores other Unicode forms than git. */
function comparable(path: string): string {
  if (process.platform !== 'win32' && process.platform !== 'darwin') return path;
  return Buffer.from(path, 'latin1').toString('utf8').normalize('NFC').toLowerCase();
}
