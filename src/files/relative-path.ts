import nodePath, { type PlatformPath } from 'node:path';

/**
 * Returns a path relative to a folder, with slashes, for text that may be read on other platforms: platformio.ini, JSON or change records.
 * A path on a different Windows drive stays absolute.
 *
 * @param path platform path rules; tests pass the rules of another platform
 */
export function relativePath(folder: string, absolute: string, path: PlatformPath = nodePath): string {
  return withSlashes(path.relative(folder, absolute), path);
}

export function withSlashes(text: string, path: PlatformPath = nodePath): string {
  return text.split(path.sep).join('/');
}
