import { accessSync, constants, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';

/** Everything that decides which file a program's name means. */
export interface SearchPlace {
  readonly platform: NodeJS.Platform;
  /** The variable PATH. */
  readonly path: string | undefined;
  /** The variable PATHEXT, which only Windows has. */
  readonly pathExt: string | undefined;
  readonly currentFolder: string;
  /** Whether a file is there that can be started. */
  readonly isProgram: (path: string) => boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Extensions that CreateProcess starts, directly or through cmd.exe. PATHEXT may list kinds that need another program. */
const startable = ['.com', '.exe', '.bat', '.cmd'];

/**
 * Finds the program that a name means: an absolute path as it stands, or a plain name in the folders of PATH. A source tree may come from
 * a stranger, so the current folder is never searched: not by the rule of Windows, not through an empty or relative entry of PATH, and not
 * through an absolute entry that names it. An absolute entry below it (`.venv/bin` of an active environment) is the user's choice.
 *
 * @returns an absolute path; undefined if there is no such program, or the name is a relative path
 */
export function findProgram(name: string, place: SearchPlace): string | undefined {
  const { join } = pathOf(place.platform);
  const folders = isPlainName(name, place.platform) ? searchedFolders(place) : [];
  const bases = isAbsolutePath(name, place.platform) ? [name] : folders.map((folder) => join(folder, name));
  return bases.flatMap((base) => withExtensions(base, place)).find(place.isProgram);
}

/** The entries of PATH that mean the same folder wherever a program is started, without quotes. */
export function absoluteEntries(path: string | undefined, platform: NodeJS.Platform): readonly string[] {
  const entries = platform === 'win32' ? windowsEntries(path ?? '') : (path ?? '').split(':');
  return entries.filter((entry) => isAbsolutePath(entry, platform));
}

/** A variable by its name, in which Windows ignores case. */
export function variable(env: Environment, name: string, platform: NodeJS.Platform): string | undefined {
  if (platform !== 'win32') return env[name];
  return Object.entries(env).find(([key]) => key.toUpperCase() === name)?.[1];
}

/** {@link findProgram} on this machine. */
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

/** A semicolon between quotes belongs to the entry. */
function windowsEntries(path: string): readonly string[] {
  const entries = path.match(/(?:"[^"]*"?|[^;"])+/g) ?? [];
  return entries.map((entry) => entry.replaceAll('"', ''));
}

/** On Windows, `\tools` depends on the current drive and `C:tools` on the current folder of a drive: neither is absolute. */
function isAbsolutePath(path: string, platform: NodeJS.Platform): boolean {
  return platform === 'win32' ? /^(?:[A-Za-z]:[\\/]|[\\/]{2}[^\\/])/.test(path) : path.startsWith('/');
}

function isPlainName(name: string, platform: NodeJS.Platform): boolean {
  return !['', '.', '..'].includes(name) && !(platform === 'win32' ? /[\\/:]/ : /\//).test(name);
}

/** Windows starts no file without an extension; a name that has one is tried as it stands first. */
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
