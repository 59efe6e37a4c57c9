import nodePath, { type PlatformPath } from 'node:path';

/**
 * Returns a path relative to a folder, with slashes, for text that is read on other platforms, too: platformio.ini, JSON or records of
 * changes. A path on another Windows drive stays absolute.
 *
 * @param path path rules of the platform; tests pass those of another platform
 */
export function relativePath(folder: string, absolute: string, path: PlatformPath = nodePath): string {
  return withSlashes(path.relative(folder, absolute), path);
}

export function withSlashes(text: string, path: PlatformPath = nodePath): string {
  return text.split(path.sep).join('/');
}
