import nodePath, { type PlatformPath } from 'node:path';

/**
 * A text with the paths in it as the user would write them: those below the folder where they stand lose its name.
 *
 * @param path the rules of the system, of another one in tests
 */
export function withNearPaths(text: string, cwd: string, path: PlatformPath = nodePath): string {
  const here = cwd.endsWith(path.sep) ? cwd : cwd + path.sep;
  // At the root every path begins with it, and none would be nearer without.
  if (here === path.parse(here).root) return text;
  return text
    .split(here)
    .reduce((near, rest) => near + (/[\w./\\-]$/.test(near) || !/^[^\s/\\]/.test(rest) ? here : '') + rest);
}
