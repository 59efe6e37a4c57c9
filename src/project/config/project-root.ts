import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isBelow, realPathOf } from '../../files/real-path.ts';
import { readRegularFile } from '../keys/git-repository.ts';

/** Maximum size of a `.git` or package.json file. */
const longestMarkerBytes = 1024 * 1024;

/**
 * Returns the entry that marks the root of a project: `.git`, or, outside a repository, the file that declares the workspace or the
 * package. In a workspace, each package has its own package.json, but the shared configuration is at the root. A submodule belongs to the
 * repository around it. A repository or workspace that contains the user's home folder (dotfiles in git) ends the search only if no other
 * root is below it.
 *
 * `hooks/platformio.py` contains the same search.
 */
export function rootMarker(start: string, home: string): string | undefined {
  const folders = foldersFrom(start);
  const realHome = realPathOf(home);
  const own = folders.filter((folder) => !isBelow(realHome, folder));
  const repositories = own.map((folder) => join(folder, '.git')).filter((path) => existsSync(path));
  const repository = repositories.find((path) => !isSubmodule(path)) ?? repositories.at(-1);
  if (repository !== undefined) return repository;
  const workspace = own.map(workspaceFile).find((path) => path !== undefined);
  const markers = folders.flatMap((folder) => [join(folder, '.git'), join(folder, 'package.json')]);
  return workspace ?? markers.find((path) => existsSync(path));
}

function foldersFrom(start: string): readonly string[] {
  const above = dirname(start);
  return above === start ? [start] : [start, ...foldersFrom(above)];
}

/** Returns whether a `.git` file belongs to a submodule. In a linked work tree, the target contains the file `commondir`. */
function isSubmodule(dotGit: string): boolean {
  const target = /^gitdir: (.+?)\s*$/.exec(textOf(dotGit))?.[1];
  if (target === undefined || !/(?:^|[\\/])\.git[\\/](?:.+[\\/])?modules[\\/]/.test(target)) return false;
  return !existsSync(join(resolve(dirname(dotGit), target), 'commondir'));
}

/** Returns the file in a folder that declares an npm, yarn or pnpm workspace. */
function workspaceFile(folder: string): string | undefined {
  const [pnpm, npm] = [join(folder, 'pnpm-workspace.yaml'), join(folder, 'package.json')];
  if (existsSync(pnpm)) return pnpm;
  try {
    const content: unknown = JSON.parse(textOf(npm));
    return typeof content === 'object' && content !== null && 'workspaces' in content ? npm : undefined;
  } catch {
    return undefined;
  }
}

function textOf(path: string): string {
  const bytes = readRegularFile(path, longestMarkerBytes);
  return typeof bytes === 'string' ? '' : bytes.toString('utf8');
}
