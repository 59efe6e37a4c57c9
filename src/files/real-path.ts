import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';

/** Returns whether a folder is the same as a second folder or below it. The paths are compared without symbolic links. */
export function isBelow(folder: string, above: string): boolean {
  if (!isAbsolute(above)) return false;
  const way = relative(realPathOf(above), folder);
  return way === '' || (!/^\.\.(?:[\\/]|$)/.test(way) && !isAbsolute(way));
}

/** Returns a path without symbolic links. The end of the path need not exist. */
export function realPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPathOf(above), path.slice(above.length).replace(/^[\\/]/, ''));
  }
}
