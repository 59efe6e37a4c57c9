import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import glob from 'fast-glob';
import { OtaError } from '../../errors/ota-error.ts';

/** An installed ESP8266 platform of the Arduino IDE or arduino-cli. */
export interface InstalledCore {
  /** The folder that holds its `platform.txt`. */
  readonly folder: string;
  /** As its `platform.txt` says. */
  readonly version: string | undefined;
}

export interface ArduinoFolders {
  /** Boards Manager's own: `packages/VENDOR/hardware/esp8266/VERSION`. */
  readonly data: string;
  /** The sketchbook: `hardware/VENDOR/esp8266`, where a git clone of the core goes. */
  readonly user: string;
}

/** Where the IDE and arduino-cli keep their things, unless they were told otherwise in a configuration of their own. */
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

/** Every installed ESP8266 core, sorted by folder. */
export async function findInstalledCores(folders: ArduinoFolders): Promise<readonly InstalledCore[]> {
  const found = await Promise.all([
    glob('packages/*/hardware/esp8266/*/platform.txt', { cwd: folders.data, absolute: true }),
    glob('hardware/*/esp8266/platform.txt', { cwd: folders.user, absolute: true }),
  ]);
  const folderNames = found.flat().map((path) => join(path, '..'));
  return Promise.all(folderNames.sort().map(readCore));
}

/**
 * The core in a folder that was named.
 *
 * @throws OtaError CORE_NOT_FOUND when no `platform.txt` can be read there
 */
export async function readCore(folder: string): Promise<InstalledCore> {
  const text = await readFile(join(folder, 'platform.txt'), 'utf8').catch((cause) => {
    throw new OtaError('CORE_NOT_FOUND', { folder }, cause);
  });
  return { folder, version: /^version=(.*)$/m.exec(text)?.[1]?.trim() };
}
