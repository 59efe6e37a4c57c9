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

/**
 * Returns whether the ELF of a build contains `UpdaterClass::end`, which every update over the air calls. The linker removes the method from a
 * sketch that cannot be updated.
 *
 * @returns undefined if the ELF has no symbols or belongs to a different image
 */
export function hasUpdaterInElf(elf: Uint8Array, firmware: Firmware): boolean | undefined {
  const program = readElf(elf, /^(?:_ZN12UpdaterClass3endE|_FS_start$)/);
  if (program === undefined || program.symbols.size === 0 || differenceFromImage(program, firmware) !== undefined) {
    return undefined;
  }
  return [...program.symbols.keys()].some((name) => name.startsWith('_ZN12UpdaterClass3endE'));
}
