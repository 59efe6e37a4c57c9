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

/** Returns the path of the user configuration, outside every source tree. Relative paths in the environment are ignored. */
export function userConfigPath({ env, platform, home }: UserWords): string {
  const { isAbsolute, join } = platform === 'win32' ? win32 : posix;
  const named = platform === 'win32' ? env['APPDATA'] : env['XDG_CONFIG_HOME'];
  const usual = {
    win32: join(home, 'AppData', 'Roaming'),
    darwin: join(home, 'Library', 'Application Support'),
  };
  const folder =
    named !== undefined && isAbsolute(named)
      ? named
      : platform === 'win32' || platform === 'darwin'
        ? usual[platform]
        : join(home, '.config');
  return join(folder, 'ota-hooks', 'config.json');
}

/** Returns the folder for programs of this user, outside every source tree. Relative paths in the environment are ignored. */
export function userDataFolder({ env, platform, home }: Omit<UserWords, 'userId'>): string {
  const { isAbsolute, join } = platform === 'win32' ? win32 : posix;
  const named = platform === 'win32' ? env['LOCALAPPDATA'] : env['XDG_DATA_HOME'];
  const usual = {
    win32: join(home, 'AppData', 'Local'),
    darwin: join(home, 'Library', 'Application Support'),
  };
  const folder =
    named !== undefined && isAbsolute(named)
      ? named
      : platform === 'win32' || platform === 'darwin'
        ? usual[platform]
        : join(home, '.local', 'share');
  return join(folder, 'ota-hooks');
}
