import nodePath, { type PlatformPath } from 'node:path';

/**
 * Returns a path relative to a folder, with slashes, for text that may be read on other platforms: platformio.ini, JSON or change records.
 * A path on a different Windows drive stays absolute.
 *
 * @param path path rules of the platform; tests pass the rules of a different platform
 */
export function relativePath(folder: string, absolute: string, path: PlatformPath = nodePath): string {
  return withSlashes(path.relative(folder, absolute), path);
}

export function withSlashes(text: string, path: PlatformPath = nodePath): string {
  return text.split(path.sep).join('/');
}
