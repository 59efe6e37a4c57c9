import { access, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * Whether git tracks a file. Git itself is asked only when its index may hold the name: a hook runs in every build, and a process costs it
 * more than everything else together.
 */
export async function isTrackedByGit(path: string): Promise<boolean> {
  const absolute = resolve(path);
  const folder = dirname(absolute);
  const root = await repositoryRoot(folder);
  if (root === undefined || !(await mayHold(join(root, '.git', 'index'), basename(absolute)))) return false;
  const { execFile } = await import('node:child_process');
  return new Promise((answer) => {
    const argv = ['-C', folder, 'ls-files', '--error-unmatch', '--', basename(absolute)];
    execFile('git', argv, { timeout: 5000 }, (error) => answer(error === null));
  });
}

async function repositoryRoot(folder: string): Promise<string | undefined> {
  const found = await access(join(folder, '.git')).then(
    () => true,
    () => false,
  );
  if (found) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : repositoryRoot(parent);
}

/**
 * False only when the index cannot hold a file of that name. Versions 2 and 3 (gitformat-index) store each path whole, with a zero behind
 * it; version 4 shortens paths and a split index keeps them elsewhere, so those may.
 */
async function mayHold(indexPath: string, name: string): Promise<boolean> {
  // In a linked worktree .git is a file, and the index lies elsewhere.
  const index = await readFile(indexPath).catch((error: NodeJS.ErrnoException) => error.code);
  if (typeof index === 'string') return index !== 'ENOENT';
  if (index === undefined) return true;
  const wholePaths = index.length >= 8 && index.readUInt32BE(4) <= 3 && !index.includes('link');
  return !wholePaths || index.includes(`${name}\0`);
}
