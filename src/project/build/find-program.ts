import { accessSync, constants, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';

/** Inputs that determine which file a program name refers to. */
export interface SearchPlace {
  readonly platform: NodeJS.Platform;
  /** Value of the PATH variable. */
  readonly path: string | undefined;
  /** Value of the PATHEXT variable, which exists only on Windows. */
  readonly pathExt: string | undefined;
  readonly currentFolder: string;
  /** Whether a path is an executable file. */
  readonly isProgram: (path: string) => boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Extensions of files that CreateProcess starts, directly or through cmd.exe. PATHEXT may also list types that need another program. */
const startable = ['.com', '.exe', '.bat', '.cmd'];

/**
 * Finds the program that a name refers to: an absolute path is used as is, and a plain name is looked up in the PATH folders. A source tree
 * may be untrusted, so the current folder is never searched: not by Windows' default rule, not through an empty or relative PATH entry, and
 * not through an absolute entry that points to it. An absolute entry below it (`.venv/bin` of an active environment) is the user's choice.
 *
 * @returns an absolute path; undefined if there is no such program or the name is a relative path
 */
export function findProgram(name: string, place: SearchPlace): string | undefined {
  const { join } = pathOf(place.platform);
  const folders = isPlainName(name, place.platform) ? searchedFolders(place) : [];
  const bases = isAbsolutePath(name, place.platform) ? [name] : folders.map((folder) => join(folder, name));
  return bases.flatMap((base) => withExtensions(base, place)).find(place.isProgram);
}

/** Returns the PATH entries, without quotes, that refer to the same folder from every working directory. */
export function absoluteEntries(path: string | undefined, platform: NodeJS.Platform): readonly string[] {
  const entries = platform === 'win32' ? windowsEntries(path ?? '') : (path ?? '').split(':');
  return entries.filter((entry) => isAbsolutePath(entry, platform));
}

/** Returns the value of a variable; on Windows, variable names are case-insensitive. */
export function variable(env: Environment, name: string, platform: NodeJS.Platform): string | undefined {
  if (platform !== 'win32') return env[name];
  return Object.entries(env).find(([key]) => key.toUpperCase() === name)?.[1];
}

/** Runs {@link findProgram} for this machine. */
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
  });
}

function searchedFolders({ path, platform, currentFolder }: SearchPlace): readonly string[] {
  const { normalize } = pathOf(platform);
  const comparable = (folder: string) => {
    const plain = normalize(`${folder}/.`);
    return platform === 'win32' ? plain.toLowerCase() : plain;
  };
  const current = comparable(currentFolder);
  return absoluteEntries(path, platform).filter((entry) => comparable(entry) !== current);
}

/** Splits a Windows PATH. A semicolon between quotes belongs to the entry. */
function windowsEntries(path: string): readonly string[] {
  const entries = path.match(/(?:"[^"]*"?|[^;"])+/g) ?? [];
  return entries.map((entry) => entry.replaceAll('"', ''));
}

/**
 * Returns whether a path is absolute. On Windows, `\tools` depends on the current drive and `C:tools` on the current folder of that drive,
 * so neither is absolute.
 */
function isAbsolutePath(path: string, platform: NodeJS.Platform): boolean {
  return platform === 'win32' ? /^(?:[A-Za-z]:[\\/]|[\\/]{2}[^\\/])/.test(path) : path.startsWith('/');
}

function isPlainName(name: string, platform: NodeJS.Platform): boolean {
  return !['', '.', '..'].includes(name) && !(platform === 'win32' ? /[\\/:]/ : /\//).test(name);
}

/** Returns the paths to try. Windows does not start files without an extension; a name that has one is tried unchanged first. */
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
