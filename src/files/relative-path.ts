import nodePath, { type PlatformPath } from 'node:path';

/**
 * A path as a text names it that is read on other systems too, such as platformio.ini, JSON or a record of what was done: from a folder, with
 * slashes. On another drive of Windows it stays absolute.
 *
 * @param path the rules of the system, of another one in tests
 */
export function relativePath(folder: string, absolute: string, path: PlatformPath = nodePath): string {
  return withSlashes(path.relative(folder, absolute), path);
}

export function withSlashes(text: string, path: PlatformPath = nodePath): string {
  return text.split(path.sep).join('/');
}
