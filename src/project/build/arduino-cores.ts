import { join } from 'node:path';
import glob from 'fast-glob';
import { OtaError } from '../../errors/ota-error.ts';
import { readRegular } from '../../files/bounded-read.ts';

/** ESP8266 core installed for the Arduino IDE or arduino-cli. */
export interface InstalledCore {
  /** Folder of the core, which contains `platform.txt`. */
  readonly folder: string;
  /** Version of the core, from `platform.txt`. */
  readonly version: string | undefined;
}

export interface ArduinoFolders {
  /** Data folder in which the Boards Manager installs cores: `packages/VENDOR/hardware/esp8266/VERSION`. */
  readonly data: string;
  /** Sketchbook folder, which may contain a git clone of the core: `hardware/VENDOR/esp8266`. */
  readonly user: string;
}

/** Returns the folders of the IDE and arduino-cli. Configuration files, which may specify other folders, are not read. */
export function arduinoFolders(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  home: string,
): ArduinoFolders {
  const data = {
    darwin: join(home, 'Library', 'Arduino15'),
    win32: join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'Arduino15'),
  };
  const isDesktop = platform === 'darwin' || platform === 'win32';
  return {
    data: env['ARDUINO_DIRECTORIES_DATA'] ?? (isDesktop ? data[platform] : join(home, '.arduino15')),
    user: env['ARDUINO_DIRECTORIES_USER'] ?? (isDesktop ? join(home, 'Documents', 'Arduino') : join(home, 'Arduino')),
  };
}

/** Finds every installed ESP8266 core, sorted by folder. */
export async function findInstalledCores(folders: ArduinoFolders): Promise<readonly InstalledCore[]> {
  const found = await Promise.all([
    glob('packages/*/hardware/esp8266/*/platform.txt', { cwd: folders.data, absolute: true }),
    glob('hardware/*/esp8266/platform.txt', { cwd: folders.user, absolute: true }),
  ]);
  const folderNames = found.flat().map((path) => join(path, '..'));
  return Promise.all(folderNames.sort().map(readCore));
}

/**
 * Reads the properties of the core in a folder.
 *
 * @throws OtaError CORE_NOT_FOUND if the folder's `platform.txt` cannot be read
 */
export async function readCore(folder: string): Promise<InstalledCore> {
  const bytes = await readRegular(join(folder, 'platform.txt')).catch((cause) => {
    throw new OtaError('CORE_NOT_FOUND', { folder }, cause);
  });
  return { folder, version: /^version=(.*)$/m.exec(bytes.toString('utf8'))?.[1]?.trim() };
}
