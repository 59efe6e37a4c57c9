import { readElf } from './elf.ts';
import { differenceFromImage } from './elf-proof.ts';
import type { Firmware } from './firmware.ts';
import { type FlashLayout, flashLayoutByBorders } from './flash-layout.ts';

/**
 * Where the filesystem lies under a build: `_FS_start` and `_FS_end`, which `Updater.cpp` and the filesystems take from the linker.
 *
 * @returns undefined when the ELF does not say, or is that of another image
 */
export function layoutInElf(elf: Uint8Array, firmware: Firmware): FlashLayout | undefined {
  const program = readElf(elf, /^_FS_(?:start|end)$/);
  if (program === undefined || differenceFromImage(program, firmware) !== undefined) return undefined;
  const fsStart = program.symbols.get('_FS_start');
  const fsEnd = program.symbols.get('_FS_end');
  return fsStart === undefined || fsEnd === undefined ? undefined : flashLayoutByBorders(fsStart, fsEnd);
}
