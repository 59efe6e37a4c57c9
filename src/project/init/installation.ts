import { existsSync } from 'node:fs';
import nodePath, { dirname, join, type PlatformPath } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { relativePath, withSlashes } from '../../files/relative-path.ts';

/** Location of this package relative to a project. */
export interface Installation {
  /**
   * Type of the installation. `project`: in `node_modules` of the project or a parent folder. `temporary`: in the npx cache. `machine`:
   * installed globally, or a clone.
   */
  readonly kind: 'project' | 'machine' | 'temporary';
  /** Folder of the package, which contains `hooks` and `dist`. */
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
    // The path is not resolved, because a package manager may store the package elsewhere and link to it.
    const installed = join(folder, 'node_modules', 'ota-hooks');
    if (existsSync(join(installed, 'hooks', 'platformio.py'))) return { kind: 'project', folder: installed };
    if (dirname(folder) === folder) break;
  }
  const folder = dirname(dirname(cli));
  return { kind: /[\\/]_npx[\\/]/.test(folder) ? 'temporary' : 'machine', folder };
}

/**
 * Rejects an installation with Yarn Plug'n'Play. Its packages are in archives, or in folders in which plain Node.js finds no
 * dependencies, and a build system can start only plain Node.js.
 *
 * @param cli path of the running script
 * @throws OtaError PLUG_N_PLAY_UNSUPPORTED
 */
export function requireNodeModules(cli: string): void {
  if (/[\\/](?:\.yarn[\\/](?:unplugged|__virtual__)|[^\\/]+\.zip)[\\/]/.test(cli))
    throw new OtaError('PLUG_N_PLAY_UNSUPPORTED', {});
}

/**
 * Returns the path of a package file for use in a project file. The path is relative if the package belongs to the project, so that it is
 * valid on every machine. The path contains slashes on Windows too, because PlatformIO and JSON schemas require slashes.
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
