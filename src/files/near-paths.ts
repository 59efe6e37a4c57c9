import nodePath, { type PlatformPath } from 'node:path';

/**
 * Makes all paths in a text that are below `cwd` relative to `cwd`.
 *
 * @param path path rules of the platform; tests pass the rules of a different platform
 */
export function withNearPaths(text: string, cwd: string, path: PlatformPath = nodePath): string {
  const here = cwd.endsWith(path.sep) ? cwd : cwd + path.sep;
  // Every absolute path starts with the root folder, so removing the root folder from a path would not help the reader.
  if (here === path.parse(here).root) return text;
  return text
    .split(here)
    .reduce((near, rest) => near + (keepsPath.test(near) || !/^[^\s/\\]/.test(rest) ? here : '') + rest);
}

/**
 * Text before a path that must stay as it is: the end of another path, or compact JSON and OTA_SAFE_DIRECTORY, which users copy into a file
 * or an environment for which relative paths have no meaning.
 */
const keepsPath = /(?:[\w./\\-]|[[:{,]"|_DIRECTORY="?)$/;
