import { accessSync, constants, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import { realPathOf } from '../../files/real-path.ts';

/** Inputs that determine which file a program name refers to. */
export interface SearchPlace {
  readonly platform: NodeJS.Platform;
  /** Value of the PATH variable. */
  readonly path: string | undefined;
  /** Value of the PATHEXT variable, which exists only on Windows. */
  readonly pathExt: string | undefined;
  readonly currentFolder: string;
  /** Returns true if a path is an executable file. */
  readonly isProgram: (path: string) => boolean;
  /** Returns a path without symbolic links. */
  readonly realPath?: (path: string) => string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Extensions of files that CreateProcess can start. PATHEXT may also contain other extensions, which need a different program. */
const startable = ['.com', '.exe', '.bat', '.cmd'];

/**
 * Finds the program that a name refers to. An absolute path is returned unchanged, and a plain name is searched in the PATH folders. The
 * current folder may contain an untrusted source tree and is never searched, even if PATH contains it or a link to it. Absolute PATH entries below the
 * current folder, such as `.venv/bin`, are searched.
 *
 * @returns an absolute path; undefined if there is no such program or the name is a relative path
 */
export function findProgram(name: string, place: SearchPlace): string | undefined {
  const { join } = pathOf(place.platform);
  const folders = isPlainName(name, place.platform) ? searchedFolders(place) : [];
  const bases = isAbsolutePath(name, place.platform) ? [name] : folders.map((folder) => join(folder, name));
  return bases.flatMap((base) => withExtensions(base, place)).find(place.isProgram);
}

/** Returns the absolute PATH entries, without quotes. Relative entries are excluded, because they depend on the working directory. */
export function absoluteEntries(path: string | undefined, platform: NodeJS.Platform): readonly string[] {
  const entries = platform === 'win32' ? windowsEntries(path ?? '') : (path ?? '').split(':');
  return entries.filter((entry) => isAbsolutePath(entry, platform));
}

/** Returns the value of a variable. On Windows, variable names are case-insensitive. */
export function variable(env: Environment, name: string, platform: NodeJS.Platform): string | undefined {
  if (platform !== 'win32') return env[name];
  return Object.entries(env).find(([key]) => key.toUpperCase() === name)?.[1];
}

/** Runs {@link findProgram} with the environment of this machine. */
export function programHere(
  name: string,
  { env, platform, cwd }: { readonly env: Environment; readonly platform: NodeJS.Platform; readonly cwd: string },
): string | undefined {
  return findProgram(name, {
    platform,
    path: variable(env, 'PATH', platform),
    pathExt: variable(env, 'PATHEXT', platform),
    currentFolder: cwd,
    isProgram,
    realPath: realPathOf,
  });
}

function searchedFolders({ path, platform, currentFolder, realPath = (same) => same }: SearchPlace): readonly string[] {
  const { normalize } = pathOf(platform);
  const comparable = (folder: string) => {
    const plain = normalize(`${realPath(folder)}/.`);
    return platform === 'win32' ? plain.toLowerCase() : plain;
  };
  const current = comparable(currentFolder);
  return absoluteEntries(path, platform).filter((entry) => comparable(entry) !== current);
}

/** Splits a PATH on Windows. A semicolon between quotes belongs to the entry. */
function windowsEntries(path: string): readonly string[] {
  const entries = path.match(/(?:"[^"]*"?|[^;"])+/g) ?? [];
  return entries.map((entry) => entry.replaceAll('"', ''));
}

/**
 * Returns true if a path is absolute. On Windows, `\tools` and `C:tools` are not absolute: `\tools` depends on the current drive, and
 * `C:tools` on the current folder of that drive.
 */
function isAbsolutePath(path: string, platform: NodeJS.Platform): boolean {
  return platform === 'win32' ? /^(?:[A-Za-z]:[\\/]|[\\/]{2}[^\\/])/.test(path) : path.startsWith('/');
}

function isPlainName(name: string, platform: NodeJS.Platform): boolean {
  return !['', '.', '..'].includes(name) && !(platform === 'win32' ? /[\\/:]/ : /\//).test(name);
}

/** Returns the paths to try. Windows does not start files without an extension. A name with an extension is first tried unchanged. */
function withExtensions(base: string, { platform, pathExt }: SearchPlace): readonly string[] {
  if (platform !== 'win32') return [base];
  const listed = (pathExt ?? startable.join(';')).split(';').map((extension) => extension.trim().toLowerCase());
  const extensions = listed.filter((extension) => startable.includes(extension));
  const isComplete = startable.includes(win32.extname(base).toLowerCase());
  return [...(isComplete ? [base] : []), ...extensions.map((extension) => base + extension)];
}

function pathOf(platform: NodeJS.Platform): typeof posix {
  return platform === 'win32' ? win32 : posix;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
