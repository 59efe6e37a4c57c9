import { posix, win32 } from 'node:path';

/** Environment, system and user that determine the user configuration. */
export interface UserWords {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's home folder. */
  readonly home: string;
  /** Effective user ID of the process; undefined on Windows, which has access control lists instead of owners. */
  readonly userId: number | undefined;
}

type Place = Omit<UserWords, 'userId'>;

/** Variable that names a folder, and the default path of the folder below the home folder. */
interface FolderNames {
  readonly win32: readonly [variable: string, path: string];
  readonly others: readonly [variable: string, path: string];
}

/** Returns the path of the user configuration, outside every source tree. Relative paths in the environment are ignored. */
export function userConfigPath(words: UserWords): string {
  const names: FolderNames = { win32: ['APPDATA', 'AppData/Roaming'], others: ['XDG_CONFIG_HOME', '.config'] };
  return pathsOf(words).join(folderOf(words, names), 'ota-hooks', 'config.json');
}

/** Returns the folder for programs of this user, outside every source tree. Relative paths in the environment are ignored. */
export function userDataFolder(words: Place): string {
  const names: FolderNames = { win32: ['LOCALAPPDATA', 'AppData/Local'], others: ['XDG_DATA_HOME', '.local/share'] };
  return pathsOf(words).join(folderOf(words, names), 'ota-hooks');
}

function folderOf({ env, platform, home }: Place, names: FolderNames): string {
  const { isAbsolute, join } = pathsOf({ platform });
  const [variable, path] = platform === 'win32' ? names.win32 : names.others;
  const named = env[variable];
  if (named !== undefined && isAbsolute(named)) return named;
  return join(home, platform === 'darwin' ? 'Library/Application Support' : path);
}

function pathsOf({ platform }: Pick<UserWords, 'platform'>) {
  return platform === 'win32' ? win32 : posix;
}
