import { isUtf8 } from 'node:buffer';
import { join, resolve } from 'node:path';
import glob from 'fast-glob';
import { OtaError } from '../../errors/ota-error.ts';
import { readFailure, readRegular } from '../../files/bounded-read.ts';
import {
  circularExtends,
  combined,
  effectiveValue,
  type IniFile,
  type IniSections,
  itemsOf,
  readIni,
} from './platformio-ini.ts';

/** platformio.ini and the files of `extra_configs`, in the order in which PlatformIO reads them. */
export interface PlatformioFiles extends IniSections {
  /** Folder of the project, to which paths in the files are relative. */
  readonly folder: string;
  /** Files with one character per byte (latin1), which preserves all lines in an edit. */
  readonly files: readonly IniFile[];
  /** Files of `extra_configs` that cannot be read. PlatformIO skips them without a message. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

/** Far above the largest known project (100 KB and 11 files). The limits bound the cost of a hostile project. */
const mostIniBytes = 4 * 1024 * 1024;
const mostFiles = 200;

/**
 * Reads platformio.ini and the files of `extra_configs`, with the rules of PlatformIO (`ProjectConfig.read`). Nothing is executed.
 *
 * @param main file to read first, if it is not platformio.ini
 * @throws OtaError FILE_UNREADABLE, PLATFORMIO_INI_INVALID for content that PlatformIO cannot read
 */
export async function readPlatformioFiles(
  folder: string,
  home: string,
  main = join(folder, 'platformio.ini'),
): Promise<PlatformioFiles> {
  const files: IniFile[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  const read = async (path: string): Promise<void> => {
    if (files.length >= mostFiles || [...files, ...unreadable].some((file) => file.path === path)) return;
    const bytes = await readRegular(path, mostIniBytes).catch((cause: unknown) => {
      const reason = readFailure(cause);
      if (path === main) throw new OtaError('FILE_UNREADABLE', { path, reason }, cause);
      unreadable.push({ path, reason });
    });
    if (bytes === undefined) return;
    requireUtf8(bytes, path);
    files.push(readIni(bytes.toString('latin1'), path));
    // Evaluated after each file, as in PlatformIO, because a file may replace the list.
    for (const pattern of itemsOf(effectiveValue(combined(files), 'platformio', 'extra_configs') ?? '')) {
      for (const found of await filesLike(pattern, folder, home)) await read(found);
    }
  };
  await read(main);
  const ini = combined(files);
  const circle = circularExtends(ini);
  if (circle !== undefined) {
    throw new OtaError('PLATFORMIO_INI_INVALID', { path: main, reason: `extends is circular: ${circle.join(', ')}` });
  }
  return { folder, files, unreadable, ...ini };
}

/** Finds the files of a pattern. Python's glob has no braces and no extended patterns. */
async function filesLike(pattern: string, folder: string, home: string): Promise<readonly string[]> {
  const written = pattern.replace(/^~(?=[\\/]|$)/, home).replaceAll('\\', '/');
  const options = { cwd: folder, onlyFiles: false, braceExpansion: false, extglob: false, suppressErrors: true };
  return (await glob(written, options)).map((path) => resolve(folder, path)).sort();
}

/** Rejects encodings that PlatformIO cannot read. The error names the encoding, because some editors on Windows use these by default. */
function requireUtf8(bytes: Buffer, path: string): void {
  const startsWith = (...start: readonly number[]) => bytes.subarray(0, start.length).equals(Buffer.from(start));
  const reason = startsWith(0xef, 0xbb, 0xbf)
    ? 'it starts with a byte order mark'
    : startsWith(0xff, 0xfe) || startsWith(0xfe, 0xff)
      ? 'its encoding is UTF-16'
      : isUtf8(bytes)
        ? undefined
        : `its encoding is not UTF-8 (line ${lineOfInvalid(bytes)})`;
  if (reason !== undefined) throw new OtaError('PLATFORMIO_INI_INVALID', { path, reason });
}

function lineOfInvalid(bytes: Buffer): number {
  let [line, start] = [1, 0];
  for (let end = bytes.indexOf(10); end !== -1 && isUtf8(bytes.subarray(start, end)); end = bytes.indexOf(10, start)) {
    line += 1;
    start = end + 1;
  }
  return line;
}
