import { readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { removeFiles, writeAtomically, writeError } from '../../files/write.ts';
import {
  type ArduinoHooks,
  arduinoHookProperties,
  arduinoPublishProperty,
  arduinoUploadProperty,
} from './arduino-hooks.ts';
import { addBlock, removeBlock } from './marked-block.ts';

/**
 * The hooks of the Arduino IDE, in `platform.local.txt` of an installed core: builds from the IDE cannot be given
 * properties, and this file is the one place beside `platform.txt` that arduino-cli reads.
 *
 * Beside it lies a file with a time stamp in the far future. arduino-cli takes core.a from its cache only when nothing in
 * the platform's folder is younger; with the stamp it never does, and each sketch compiles and keeps a core of its own
 * (arduino-cli#2382 tells what happens otherwise). Seen with arduino-cli 1.5.1: hidden files do not count, and a name
 * that ends in .txt would throw away the sketch's whole build folder every time.
 */
const localProperties = 'platform.local.txt';
const stampName = 'ota-hooks.stamp';

/** The last second of 2037: later ones do not fit every file system. */
const farFuture = new Date('2037-12-31T23:59:59Z');

const stampText =
  'Written by ota-hooks. The time stamp of this file, far in the future, keeps arduino-cli from linking a core that was\n' +
  'compiled for another sketch, with another signing key or none. "ota-hooks uninstall arduino" removes it.\n';

/**
 * The text of `platform.local.txt` with the hooks in it, once, at its end, where they override what stands before.
 *
 * @param text one character a byte (latin1), so that lines which are not ours survive in whatever encoding they are
 */
function withIdeHooks(text: string, hooks: ArduinoHooks): string {
  const properties = [...arduinoHookProperties(hooks), arduinoPublishProperty(hooks), arduinoUploadProperty(hooks)];
  const lines = properties.map(([name, value]) => `${name}=${value}`);
  const bytes = lines.map((line) => Buffer.from(line, 'utf8').toString('latin1'));
  return addBlock(withoutIdeHooks(text), bytes);
}

/**
 * The text as it was before the hooks came; the same text when there are none.
 *
 * @throws OtaError USAGE when somebody cut one of the marks away
 */
function withoutIdeHooks(text: string): string {
  const without = removeBlock(text);
  switch (without.state) {
    case 'absent':
      return text;
    case 'removed':
      return without.text;
    case 'damaged':
      throw new OtaError('USAGE', {
        message: `${localProperties}: the lines of ota-hooks that line ${without.line} marks have lost their other mark`,
        hint: `Take the lines of ota-hooks out of ${localProperties} by hand, then try again.`,
      });
  }
}

/** Puts the hooks into a core, or brings those that are there up to date. */
export async function installIdeHooks(coreFolder: string, hooks: ArduinoHooks): Promise<'installed' | 'unchanged'> {
  const path = join(coreFolder, localProperties);
  const before = await readText(path);
  const after = withIdeHooks(before ?? '', hooks);
  const isStamped = (await stampState(coreFolder)) === 'dated';
  if (after === before && isStamped) return 'unchanged';
  if (!isStamped) await writeStamp(coreFolder);
  if (after !== before) await writeText(path, after);
  return 'installed';
}

/** Takes out exactly what {@link installIdeHooks} wrote. */
export async function uninstallIdeHooks(coreFolder: string): Promise<'removed' | 'absent'> {
  const path = join(coreFolder, localProperties);
  const before = await readText(path);
  const after = before === undefined ? undefined : withoutIdeHooks(before);
  const stamp = await stampState(coreFolder);
  if (after === before && stamp === 'absent') return 'absent';
  const isEmptied = after === '' && before !== '';
  await removeFiles([join(coreFolder, stampName), ...(isEmptied ? [path] : [])]);
  if (after !== undefined && after !== before && !isEmptied) await writeText(path, after);
  await outdateCachedCores(coreFolder);
  return 'removed';
}

/** Whether builds with this core run our hooks; a core upgrade takes them away silently. */
export async function hasIdeHooks(coreFolder: string): Promise<boolean> {
  const text = await readText(join(coreFolder, localProperties));
  return text !== undefined && removeBlock(text).state === 'removed' && (await stampState(coreFolder)) === 'dated';
}

/** A copied or restored folder may have lost the date. */
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

/** The cache may hold a core with our signing inside: one touch of `platform.txt` and arduino-cli compiles it anew. */
async function outdateCachedCores(coreFolder: string): Promise<void> {
  await setTime(join(coreFolder, 'platform.txt'), new Date());
}

async function setTime(path: string, time: Date): Promise<void> {
  await utimes(path, time, time).catch((cause) => {
    throw writeError(path, cause);
  });
}

async function readText(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new OtaError('FILE_UNREADABLE', { path, reason: cause.code ?? String(cause) }, cause);
  });
  return bytes?.toString('latin1');
}

async function writeText(path: string, text: string): Promise<void> {
  await writeAtomically(path, Buffer.from(text, 'latin1'));
}
