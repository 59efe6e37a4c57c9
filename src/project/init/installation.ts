import { existsSync } from 'node:fs';
import nodePath, { dirname, join, type PlatformPath } from 'node:path';
import { relativePath, withSlashes } from '../../files/relative-path.ts';

/** Location of this package, as seen from a project. */
export interface Installation {
  /**
   * `project`: in the `node_modules` folder of the project or of a folder above it. `temporary`: in the npx cache, not installed.
   * `machine`: installed globally, or a clone.
   */
  readonly kind: 'project' | 'machine' | 'temporary';
  /** Folder that contains `hooks` and `dist`. */
  readonly folder: string;
}

/**
 * Finds the installation that a project uses.
 *
 * @param source folder in which the search starts
 * @param cli path of the running script
 */
export function findInstallation(source: string, cli: string): Installation {
  for (let folder = source; ; folder = dirname(folder)) {
    // The real path is not used, because a package manager may keep the package in its own store.
    const installed = join(folder, 'node_modules', 'ota-hooks');
    if (existsSync(join(installed, 'hooks', 'platformio.py'))) return { kind: 'project', folder: installed };
    if (dirname(folder) === folder) break;
  }
  const folder = dirname(dirname(cli));
  return { kind: /[\\/]_npx[\\/]/.test(folder) ? 'temporary' : 'machine', folder };
}

/**
 * Returns the path of a package file for use in a project file. It is relative if the package belongs to the project, so that it is the
 * same on every machine. It uses slashes, which PlatformIO and JSON schemas require on Windows, too.
 */
export function pathInPackage(
  { kind, folder }: Installation,
  source: string,
  file: string,
  path: PlatformPath = nodePath,
): string {
  const absolute = path.join(folder, file);
  return kind === 'project' ? relativePath(source, absolute, path) : withSlashes(absolute, path);
}
