import { join } from 'node:path';
import glob from 'fast-glob';
import { OtaError } from '../../errors/ota-error.ts';
import { readRegular } from '../../files/bounded-read.ts';
import { headerHook, packHook } from './arduino-hooks.ts';

/** ESP8266 core installed for the Arduino IDE or arduino-cli. */
export interface InstalledCore {
  /** Folder of the core, which contains `platform.txt`. */
  readonly folder: string;
  /** Version of the core, from `platform.txt`. */
  readonly version: string | undefined;
  /**
   * Recipe text with which the core starts its own Python. Undefined for a core that does not support the hooks: cores before 2.6.0 sign in
   * other recipes or not at all, and with the hooks arduino-cli would run no recipe that makes the image.
   */
  readonly python: string | undefined;
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
  const text = bytes.toString('utf8');
  return { folder, version: propertyOf(text, 'version'), python: pythonOf(text) };
}

function pythonOf(text: string): string | undefined {
  const [header, pack] = [headerHook, packHook].map((name) => propertyOf(text, name));
  if (header === undefined || pack === undefined) return undefined;
  // A fork of the core may sign with a different program. The core's other tools need Python in any case.
  return /^(?:"[^"]*python3?"|[^" ]*python3?)(?= )/.exec(pack)?.[0] ?? 'python3';
}

function propertyOf(text: string, name: string): string | undefined {
  const line = text.split(/\r?\n/).find((each) => each.startsWith(`${name}=`));
  return line?.slice(name.length + 1).trim();
}
