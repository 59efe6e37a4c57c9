/**
 * Kind of memory at an ESP8266 address. The boundaries are defined in `load_app_from_flash_raw` (`eboot.c`), which copies segments to
 * RAM, and in `eagle.app.v6.common.ld.h`.
 */
export type SegmentMemory = 'dram' | 'iram' | 'irom' | 'rom' | 'peripheral' | 'unknown';

/** Address of the first flash byte in memory. The ESP8266 maps 1 MB of flash. In a sketch, file offsets equal flash offsets. */
export const flashMapAddress = 0x40200000;

interface Region {
  readonly memory: SegmentMemory;
  readonly from: number;
  readonly to: number;
}

const regions: readonly Region[] = [
  { memory: 'peripheral', from: 0x3ff00000, to: 0x3ff80000 },
  { memory: 'dram', from: 0x3ffe8000, to: 0x40000000 },
  { memory: 'rom', from: 0x40000000, to: 0x40010000 },
  // Instruction RAM: 32 KB for code, and 32 KB for the flash cache. eboot runs from the cache area (0x4010f000, `eboot.ld`).
  { memory: 'iram', from: 0x40100000, to: 0x40110000 },
  { memory: 'irom', from: flashMapAddress, to: 0x40300000 },
  { memory: 'peripheral', from: 0x60000000, to: 0x60100000 },
];

/** Returns the kind of memory at `address`. */
export function memoryAt(address: number): SegmentMemory {
  return regions.find(({ from, to }) => address >= from && address < to)?.memory ?? 'unknown';
}
