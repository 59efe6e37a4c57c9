import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { readFailure, readRegular } from '../../files/bounded-read.ts';
import { removeFiles, writeAtomically, writeError } from '../../files/write.ts';
import type { UserWords } from '../config/user-words.ts';
import { arduinoFolders, findInstalledCores, type InstalledCore } from './arduino-cores.ts';
import {
  arduinoExportProperty,
  arduinoHookProperties,
  arduinoPublishProperty,
  arduinoUploadProperty,
  launcherName,
  launcherProgram,
  publishHook,
} from './arduino-hooks.ts';
import { type CliCopy, removeCliCopy } from './cli-copy.ts';
import { addBlock, removeBlock } from './marked-block.ts';

/**
 * File in an installed core that contains the Arduino IDE hooks. The IDE does not accept build properties, and arduino-cli reads only
 * this file besides `platform.txt`.
 *
 * The stamp file beside it has a timestamp in the far future. arduino-cli uses core.a from its cache only if no file in the platform
 * folder is newer, so the stamp file disables the cache (see arduino-cli#2382). arduino-cli 1.5.1 ignores hidden files, and a file name
 * ending in .txt would make it discard the build folder each time.
 */
const localProperties = 'platform.local.txt';
export const stampName = 'ota-hooks.stamp';

/** Last second of 2037. Some file systems cannot store a later timestamp. */
const farFuture = new Date('2037-12-31T23:59:59Z');

const stampText =
  'Written by ota-hooks. The timestamp of this file is far in the future, so that arduino-cli does not link a core that was\n' +
  'compiled for a different sketch or signing key. "ota-hooks uninstall arduino" removes this file.\n';

export interface IdeOptions {
  /** Also install the hook that publishes a build. A hook that is already installed is kept. */
  readonly publishes?: boolean | undefined;
}

/**
 * Returns the text of `platform.local.txt` with exactly one copy of the hooks. The hooks are at the end, where they override earlier
 * lines.
 *
 * @param text text with one character per byte (latin1), which preserves all other lines in any encoding
 */
function withIdeHooks(text: string, program: string, publishes: boolean): string {
  const options = ['--if-set-up'];
  const hooks = { program, headerOptions: options, packOptions: options };
  const properties = [
    ...arduinoHookProperties(hooks),
    ...(publishes ? [arduinoPublishProperty(hooks)] : []),
    arduinoExportProperty(hooks),
    arduinoUploadProperty(hooks),
  ];
  const lines = properties.map(([name, value]) => `${name}=${value}`);
  const bytes = lines.map((line) => Buffer.from(line, 'utf8').toString('latin1'));
  return addBlock(withoutIdeHooks(text), bytes);
}

/**
 * Returns the text without the hooks. A text without hooks is returned unchanged.
 *
 * @throws OtaError HOOK_LINES_DAMAGED if one of the markers is missing
 */
function withoutIdeHooks(text: string): string {
  const without = removeBlock(text);
  switch (without.state) {
    case 'absent':
      return text;
    case 'removed':
      return without.text;
    case 'damaged':
      throw new OtaError('HOOK_LINES_DAMAGED', { path: localProperties, line: without.line });
  }
}

/**
 * Installs the hooks into a core, or updates installed hooks.
 *
 * @throws OtaError CORE_UNSUPPORTED, HOOK_LINES_DAMAGED
 */
export async function installIdeHooks(
  core: InstalledCore,
  copy: CliCopy,
  { publishes }: IdeOptions = {},
): Promise<'installed' | 'unchanged'> {
  const { folder, python } = core;
  if (python === undefined) throw new OtaError('CORE_UNSUPPORTED', { folder });
  const path = join(folder, localProperties);
  const before = await readText(path);
  const program = launcherProgram(python, copy.folder);
  const after = withIdeHooks(before ?? '', program, publishes ?? isPublishing(before ?? ''));
  const isStamped = (await stampState(folder)) === 'dated';
  const launcherPath = join(folder, launcherName);
  const isCurrent = (await readText(launcherPath)) === copy.launcher.toString('latin1');
  if (after === before && isStamped && isCurrent) return 'unchanged';
  if (!isCurrent) await writeAtomically(launcherPath, copy.launcher);
  if (!isStamped) await writeStamp(folder);
  if (after !== before) await writeText(path, after);
  return 'installed';
}

function isPublishing(text: string): boolean {
  return removeBlock(text).state === 'removed' && text.includes(`${publishHook}=`);
}

/** Removes only the hooks that {@link installIdeHooks} installed. */
export async function uninstallIdeHooks(coreFolder: string): Promise<'removed' | 'absent'> {
  const path = join(coreFolder, localProperties);
  const before = await readText(path);
  const after = before === undefined ? undefined : withoutIdeHooks(before);
  const stamp = await stampState(coreFolder);
  if (after === before && stamp === 'absent') return 'absent';
  const isEmptied = after === '' && before !== '';
  await removeFiles([join(coreFolder, stampName), ...(isEmptied ? [path] : [])]);
  await removeFiles([join(coreFolder, launcherName)]);
  if (after !== undefined && after !== before && !isEmptied) await writeText(path, after);
  await outdateCachedCores(coreFolder);
  return 'removed';
}

/** Removes the copy of the CLI unless an installed core has hooks that run the copy. */
export async function removeUnusedCliCopy(words: Omit<UserWords, 'userId'>): Promise<void> {
  const cores = await findInstalledCores(arduinoFolders(words.env, words.platform, words.home));
  const hooked = await Promise.all(cores.map(({ folder }) => hasIdeHooks(folder)));
  if (!hooked.includes(true)) await removeCliCopy(words);
}

/** Returns true if builds with this core run the hooks. Upgrading the core removes the hooks without a message. */
export async function hasIdeHooks(coreFolder: string): Promise<boolean> {
  const text = await readText(join(coreFolder, localProperties));
  return text !== undefined && removeBlock(text).state === 'removed' && (await stampState(coreFolder)) === 'dated';
}

/** Returns the state of the stamp file. A copied or restored stamp file may have lost its timestamp. */
async function stampState(coreFolder: string): Promise<'absent' | 'dated' | 'undated'> {
  const found = await stat(join(coreFolder, stampName)).catch(() => undefined);
  if (found === undefined) return 'absent';
  return found.mtimeMs >= farFuture.getTime() - 86_400_000 ? 'dated' : 'undated';
}

async function writeStamp(coreFolder: string): Promise<void> {
  const path = join(coreFolder, stampName);
  await writeAtomically(path, stampText);
  await setTime(path, farFuture);
}

/** Updates the timestamp of `platform.txt`, so that arduino-cli recompiles the core. The cached core may contain a signing key. */
async function outdateCachedCores(coreFolder: string): Promise<void> {
  await setTime(join(coreFolder, 'platform.txt'), new Date());
}

async function setTime(path: string, time: Date): Promise<void> {
  await utimes(path, time, time).catch((cause) => {
    throw writeError(path, cause);
  });
}

async function readText(path: string): Promise<string | undefined> {
  const bytes = await readRegular(path).catch((cause) => {
    const reason = readFailure(cause);
    if (reason === 'ENOENT') return undefined;
    throw new OtaError('FILE_UNREADABLE', { path, reason }, cause);
  });
  return bytes?.toString('latin1');
}

async function writeText(path: string, text: string): Promise<void> {
  await writeAtomically(path, Buffer.from(text, 'latin1'));
}
