import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRegular } from '../../files/bounded-read.ts';

/** Chip of an environment. `unknown`: the platform is not installed, and its name does not show the chip. */
export type EnvironmentChip = 'esp8266' | 'other' | 'unknown';

/** Folders that describe boards and platforms. */
export interface PlatformFolders {
  /** Folder of the project. */
  readonly folder: string;
  /** PlatformIO's folder, which contains `platforms` and `boards`. */
  readonly core: string;
  readonly platforms: string;
  readonly boards: string;
}

/**
 * Returns the chip of an environment: the MCU of its board, as in PlatformIO's `BoardConfig`, or else the name of its platform. The files
 * are only read, because loading a platform in PlatformIO executes the platform.
 */
export async function chipOf(options: ReadonlyMap<string, string>, folders: PlatformFolders): Promise<EnvironmentChip> {
  const frameworks = options.get('framework')?.split(/[\s,]+/);
  // The hooks add a header to the Arduino core. Other frameworks have no such header.
  if (frameworks !== undefined && !frameworks.includes('arduino')) return 'other';
  const spec = options.get('platform') ?? '';
  const installed = await installedPlatform(spec, folders);
  const mcu = options.get('board_build.mcu') ?? (await mcuOf(options.get('board'), installed?.folder, folders));
  if (mcu !== undefined) return mcu === 'esp8266' ? 'esp8266' : 'other';
  const byName = chipOfName(installed?.name);
  return byName === 'unknown' ? chipOfName(nameInSpec(spec)) : byName;
}

/** Names of platforms for other chips, from PlatformIO's registry. Any other name may belong to a fork of the ESP8266 platform. */
const otherPlatforms =
  /^(?:espressif32|native|atmel\w+|stst?m\d+|nordic\w+|raspberrypi|teensy|libretiny|ch32v|gd32v|kendryte210|renesas-ra|nxp\w+|freescale\w+|sifive|silabs|siliconlabs\w+|linux_\w+|windows_\w+)$/i;

function chipOfName(name: string | undefined): EnvironmentChip {
  if (name === undefined) return 'unknown';
  if (/esp[-_]?82(?:66|85|xx)|espressif8266/i.test(name)) return 'esp8266';
  return otherPlatforms.test(name) ? 'other' : 'unknown';
}

/** Returns true if a spec names a repository, an archive or a folder instead of a platform of the registry. */
function isAddress(spec: string): boolean {
  return /:\/\/|^git@|\.(?:zip|git|tar\.gz)\b|^[.~/\\]|^[A-Za-z]:/.test(spec);
}

/**
 * Returns the platform name in a spec such as `platformio/espressif8266@^4.2` or `https://github.com/…/platform-espressif8266.git#v3`.
 * Returns undefined for an address that does not contain a known name.
 */
function nameInSpec(spec: string): string | undefined {
  if (!isAddress(spec)) return /^(?:[^/@]+\/)?([^@\s]+)/.exec(spec)?.[1];
  return /espressif8266|esp-?82(?:66|85)|espressif32|esp32/i.exec(spec)?.[0].replace(/^esp32$/i, 'espressif32');
}

interface InstalledPlatform {
  readonly folder: string;
  readonly name: string | undefined;
}

/** Finds the platform of a spec: the folder that the spec names, or the folder in which PlatformIO installed it. */
async function installedPlatform(spec: string, folders: PlatformFolders): Promise<InstalledPlatform | undefined> {
  const [url, path] = /^(?:symlink|file):\/\/(.*)$/.exec(spec) ?? [];
  if (url !== undefined && path !== undefined) return described(linkedFolder(url, path, folders.folder));
  for (const name of spec === '' ? [] : namesIn(folders.platforms)) {
    const folder = join(folders.platforms, name);
    const installed = recordOf(recordOf(await readJson(join(folder, '.piopm')))['spec']);
    const isSame = isAddress(spec) ? installed['uri'] === spec : installed['name'] === nameInSpec(spec);
    if (isSame) return described(folder);
  }
  return undefined;
}

function linkedFolder(url: string, path: string, folder: string): string {
  if (!url.startsWith('file:')) return resolve(folder, path);
  try {
    return fileURLToPath(url);
  } catch {
    return resolve(folder, path);
  }
}

async function described(folder: string): Promise<InstalledPlatform | undefined> {
  const { name } = recordOf(await readJson(join(folder, 'platform.json')));
  return typeof name === 'string' ? { folder, name } : undefined;
}

async function mcuOf(
  board: string | undefined,
  platform: string | undefined,
  { core, boards }: PlatformFolders,
): Promise<string | undefined> {
  if (board === undefined || board !== basename(board)) return undefined;
  const places = [boards, join(core, 'boards'), ...(platform === undefined ? [] : [join(platform, 'boards')])];
  for (const place of places) {
    const manifest = await readJson(join(place, `${board}.json`));
    const { mcu } = recordOf(recordOf(manifest)['build']);
    if (manifest !== undefined) return typeof mcu === 'string' ? mcu : undefined;
  }
  return undefined;
}

/** Ten times the size of the largest board file. */
const mostJsonBytes = 256 * 1024;

async function readJson(path: string): Promise<unknown> {
  const text = await readRegular(path, mostJsonBytes).then(String, () => '');
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
