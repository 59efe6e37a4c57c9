import { readCoreName } from '../model/core-name.ts';
import { flashMapAddress } from './memory-map.ts';

/** Flash layout. The order from offset 0 is sketch and staged update, filesystem, EEPROM, RF calibration, Wi-Fi settings. */
export interface FlashLayout {
  /** Name of the linker script, such as `eagle.flash.4m2m.ld`; undefined if no linker script of the core matches the layout. */
  readonly name: string | undefined;
  readonly flashSizeBytes: number | undefined;
  /** Offset of the filesystem from the start of flash. The area below it is for the sketch and a staged update. */
  readonly fsStart: number;
  /** Offset of the end of the filesystem. Equal to `fsStart` without a filesystem. */
  readonly fsEnd: number;
  readonly fsBlockBytes: number | undefined;
}

// Flash and filesystem size in KB by linker script (`all_flash_map` in `tools/boards.txt.py`), without the dynamic eagle.flash.auto.ld.
const scripts: readonly (readonly [flashKb: number, fsKb: number])[] = [
  [512, 0],
  [512, 32],
  [512, 64],
  [512, 128],
  [1024, 0],
  [1024, 64],
  [1024, 128],
  [1024, 144],
  [1024, 160],
  [1024, 192],
  [1024, 256],
  [1024, 512],
  [2 * 1024, 0],
  [2 * 1024, 64],
  [2 * 1024, 128],
  [2 * 1024, 256],
  [2 * 1024, 512],
  [2 * 1024, 1024],
  [4 * 1024, 0],
  [4 * 1024, 1024],
  [4 * 1024, 2 * 1024],
  [4 * 1024, 3 * 1024],
  [8 * 1024, 6 * 1024],
  [8 * 1024, 7 * 1024],
  [16 * 1024, 14 * 1024],
  [16 * 1024, 15 * 1024],
];

const kb = 1024;
const sectorBytes = 4096;
// Size of the area after the filesystem: EEPROM 4 KB, RF calibration 4 KB, Wi-Fi settings 12 KB.
const reservedAtEndKb = 20;

type Borders = 'whole-blocks' | 'up-to-eeprom';

/**
 * Returns the layout of a linker script in a core release. Since 2.6.0, the filesystem size is a multiple of its block size. This change
 * moved the end of nine layouts down by 4 KB (esp8266/Arduino#6531). For cores before 2.5.0 the result is undefined, because some linker
 * scripts had different layouts.
 *
 * @param script `eagle.flash.4m2m.ld`, with or without its prefix and suffix; `auto` has no static layout
 * @param core release such as `2.5.2`; undefined means the newer, smaller filesystem
 */
export function flashLayoutByName(script: string, core: string | undefined): FlashLayout | undefined {
  const borders = bordersOf(core);
  const name = `eagle.flash.${script.replace(/^.*eagle\.flash\./, '').replace(/\.ld$/, '')}.ld`;
  return borders === undefined ? undefined : layouts[borders].find((layout) => layout.name === name);
}

/** Returns the short names of the layouts of a core, such as `4m2m`. */
export function layoutNames(core: string | undefined): readonly string[] {
  const borders = bordersOf(core);
  return borders === undefined
    ? []
    : layouts[borders].map(({ name = '' }) => name.replace(/^eagle\.flash\.|\.ld$/g, ''));
}

/**
 * Returns the layout with these filesystem bounds (`_FS_start` and `_FS_end`). The bounds are flash offsets or memory addresses from
 * 0x40200000 up. The layout has no name if no linker script has these bounds. Returns undefined if the bounds are not sector boundaries
 * or the end is before the start.
 */
export function flashLayoutByBorders(fsStart: number, fsEnd: number): FlashLayout | undefined {
  const start = toOffset(fsStart);
  const end = toOffset(fsEnd);
  if (!isSectorBorder(start) || !isSectorBorder(end) || end < start) return undefined;
  const all = [...layouts['whole-blocks'], ...layouts['up-to-eeprom']];
  const known = all.find((layout) => layout.fsStart === start && layout.fsEnd === end);
  return known ?? { name: undefined, flashSizeBytes: undefined, fsStart: start, fsEnd: end, fsBlockBytes: undefined };
}

/** Sizes from the headers of an update check (`ESP8266HTTPUpdate::handleUpdate`). */
export interface SpaceHeaders {
  /** Free space from the header x-ESP8266-free-space (`ESP.getFreeSketchSpace()`). */
  readonly freeSpaceBytes: number;
  /** Sketch size from the header x-ESP8266-sketch-size (`ESP.getSketchSize()`). */
  readonly sketchSizeBytes: number;
  /** Chip size from the header x-ESP8266-chip-size, if sent. The size distinguishes layouts whose filesystems begin at the same offset. */
  readonly chipSizeBytes?: number | undefined;
}

/** End of the sketch area, and the layouts with this end. */
export interface SketchArea {
  /** Offset of the filesystem (`_FS_start`) from the start of flash. */
  readonly endOffset: number;
  /** Layouts for the core and chip size with this end of the sketch area; empty for a custom layout. */
  readonly candidates: readonly FlashLayout[];
}

/** Computes a device's sketch area. Free space begins at the first sector after the sketch (`EspClass::getFreeSketchSpace`). */
export function sketchAreaByHeaders(headers: SpaceHeaders, core: string | undefined): SketchArea | undefined {
  const { freeSpaceBytes, sketchSizeBytes, chipSizeBytes } = headers;
  const endOffset = freeSpaceBytes + Math.ceil(sketchSizeBytes / sectorBytes) * sectorBytes;
  if (!isSectorBorder(endOffset)) return undefined;
  const candidates = layouts[bordersOf(core) ?? 'whole-blocks'].filter(
    ({ fsStart, flashSizeBytes }) =>
      fsStart === endOffset && (chipSizeBytes === undefined || flashSizeBytes === chipSizeBytes),
  );
  return { endOffset, candidates };
}

/** Returns the smallest sketch area in the core's layouts for a chip of this size, or for any chip if the size is undefined. */
export function smallestSketchArea(chipSizeBytes: number | undefined): number {
  const possible = layouts['whole-blocks'].filter(
    ({ flashSizeBytes }) => chipSizeBytes === undefined || flashSizeBytes === chipSizeBytes,
  );
  return Math.min(...possible.map(({ fsStart }) => fsStart));
}

function bordersOf(core: string | undefined): Borders | undefined {
  if (core === undefined) return 'whole-blocks';
  const release = readCoreName(core)?.release ?? core;
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  if (!(major > 2 || (major === 2 && minor >= 5))) return undefined;
  return major === 2 && minor === 5 ? 'up-to-eeprom' : 'whole-blocks';
}

/** Computes a layout like `flash_map` in `tools/boards.txt.py`. */
function describe(flashKb: number, fsKb: number, borders: Borders): FlashLayout {
  const size = (sizeKb: number) => (sizeKb >= 1024 ? `${sizeKb / 1024}m` : `${sizeKb}`);
  const flashName = flashKb >= 1024 ? size(flashKb) : `${flashKb}k`;
  const eepromStart = (flashKb - reservedAtEndKb) * kb;
  const name = `eagle.flash.${flashName}${fsKb === 0 ? '' : size(fsKb)}.ld`;
  const flashSizeBytes = flashKb * kb;
  if (fsKb === 0) return { name, flashSizeBytes, fsStart: eepromStart, fsEnd: eepromStart, fsBlockBytes: undefined };

  const fsBlockBytes = fsKb < 512 ? 4096 : 8192;
  const fsStart = flashKb <= 1024 ? eepromStart - fsKb * kb : flashSizeBytes - fsKb * kb;
  const wholeBlocks = Math.floor((eepromStart - fsStart) / fsBlockBytes) * fsBlockBytes;
  const fsEnd = borders === 'whole-blocks' ? fsStart + wholeBlocks : eepromStart;
  return { name, flashSizeBytes, fsStart, fsEnd, fsBlockBytes };
}

const layouts: Readonly<Record<Borders, readonly FlashLayout[]>> = {
  'whole-blocks': scripts.map(([flashKb, fsKb]) => describe(flashKb, fsKb, 'whole-blocks')),
  'up-to-eeprom': scripts.map(([flashKb, fsKb]) => describe(flashKb, fsKb, 'up-to-eeprom')),
};

function toOffset(address: number): number {
  return address >= flashMapAddress ? address - flashMapAddress : address;
}

function isSectorBorder(offset: number): boolean {
  return Number.isInteger(offset) && offset > 0 && offset % sectorBytes === 0;
}
