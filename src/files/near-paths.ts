import nodePath, { type PlatformPath } from 'node:path';

/**
 * Makes paths in a text relative to `cwd`, if they are below it.
 *
 * @param path platform path rules; tests pass the rules of another platform
 */
export function withNearPaths(text: string, cwd: string, path: PlatformPath = nodePath): string {
  const here = cwd.endsWith(path.sep) ? cwd : cwd + path.sep;
  // Every absolute path starts with the root folder, so removing it would not help the reader.
  if (here === path.parse(here).root) return text;
  return text
    .split(here)
    .reduce((near, rest) => near + (/[\w./\\-]$/.test(near) || !/^[^\s/\\]/.test(rest) ? here : '') + rest);
}
