import { existsSync } from 'node:fs';
import nodePath, { dirname, join, type PlatformPath } from 'node:path';
import { relativePath, withSlashes } from '../../files/relative-path.ts';

/** Where this package stands, seen from a project. */
export interface Installation {
  /**
   * `project`: in `node_modules` of the project's folder or of one above it. `temporary`: where npx puts what is not installed.
   * `machine`: installed globally, or a clone.
   */
  readonly kind: 'project' | 'machine' | 'temporary';
  /** The folder that holds `hooks` and `dist`. */
  readonly folder: string;
}

/** @param cli the script that runs */
export function findInstallation(source: string, cli: string): Installation {
  for (let folder = source; ; folder = dirname(folder)) {
    // Not asked for by its real path, which a package manager may keep in a store of its own.
    const installed = join(folder, 'node_modules', 'ota-hooks');
    if (existsSync(join(installed, 'hooks', 'platformio.py'))) return { kind: 'project', folder: installed };
    if (dirname(folder) === folder) break;
  }
  const folder = dirname(dirname(cli));
  return { kind: /[\\/]_npx[\\/]/.test(folder) ? 'temporary' : 'machine', folder };
}

/**
 * A file of the package as a file of the project names it: relative where the package belongs to the project, so that it is the same on
 * every machine; with slashes, which PlatformIO and JSON schemas want on Windows too.
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
