import { readElf } from './elf.ts';
import { differenceFromImage } from './elf-proof.ts';
import type { Firmware } from './firmware.ts';
import { type FlashLayout, flashLayoutByBorders } from './flash-layout.ts';

/**
 * Reads the filesystem location from the ELF of a build: the linker symbols `_FS_start` and `_FS_end`.
 *
 * @returns undefined if the ELF does not define these symbols or belongs to a different image
 */
export function layoutInElf(elf: Uint8Array, firmware: Firmware): FlashLayout | undefined {
  const program = readElf(elf, /^_FS_(?:start|end)$/);
  if (program === undefined || differenceFromImage(program, firmware) !== undefined) return undefined;
  const fsStart = program.symbols.get('_FS_start');
  const fsEnd = program.symbols.get('_FS_end');
  return fsStart === undefined || fsEnd === undefined ? undefined : flashLayoutByBorders(fsStart, fsEnd);
}

/** Evidence from the symbols of a build about the libraries that its sketch uses. */
export interface SymbolTraces {
  /** True if the sketch contains `UpdaterClass::end`, which every update over the air calls. */
  readonly updater: boolean;
  /** True if the sketch can mount LittleFS or SPIFFS. */
  readonly filesystem: boolean;
}

const libraryFunctions = { updater: /^_ZN12UpdaterClass3endE/, filesystem: /^lfs_mount$|SPIFFS_mount/ } as const;

/**
 * Searches the symbols in the ELF of a build. The linker removes functions that a sketch does not call, so a missing function is not used.
 *
 * @returns undefined if the ELF has no symbols or belongs to a different image
 */
export function symbolTraces(elf: Uint8Array, firmware: Firmware): SymbolTraces | undefined {
  const program = readElf(elf, /^_ZN12UpdaterClass3endE|^lfs_mount$|SPIFFS_mount|^_FS_start$/);
  if (program?.symbols.has('_FS_start') !== true || differenceFromImage(program, firmware) !== undefined)
    return undefined;
  const has = (pattern: RegExp) => [...program.symbols.keys()].some((name) => pattern.test(name));
  return { updater: has(libraryFunctions.updater), filesystem: has(libraryFunctions.filesystem) };
}
