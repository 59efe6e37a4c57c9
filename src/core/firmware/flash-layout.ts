import { flashMapAddress } from './memory-map.ts';

/** How a chip is divided: sketch and update from 0, then the filesystem, EEPROM, RF calibration and Wi-Fi settings. */
export interface FlashLayout {
  /** Name of the linker script, such as `eagle.flash.4m2m.ld`; undefined when no script of the core has these borders. */
  readonly name: string | undefined;
  readonly flashSizeBytes: number | undefined;
  /** Offset from the start of flash; the area for sketch and staged update ends here. */
  readonly fsStart: number;
  /** Equal to `fsStart` where there is no filesystem. */
  readonly fsEnd: number;
  readonly fsBlockBytes: number | undefined;
}

// Flash and filesystem of each script, in KB: `all_flash_map` in `tools/boards.txt.py`. eagle.flash.auto.ld is not
// among them: with FLASH_MAP_SUPPORT the sketch looks its layout up when it runs.
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
// EEPROM 4 KB, RF calibration 4 KB, Wi-Fi settings 12 KB.
const reservedAtEndKb = 20;

type Borders = 'whole-blocks' | 'up-to-eeprom';

/**
 * The layout of a linker script as a core has it. From 2.6.0 the filesystem is a whole number of its blocks, which moved
 * the end of nine of them down by 4 KB (esp8266/Arduino#6531). Before 2.5.0 some scripts of the same names meant
 * something else, so nothing is said of them.
 *
 * @param script `eagle.flash.4m2m.ld`, with or without its prefix and suffix; `auto` has no static layout
 * @param core a release such as `2.5.2`; unknown means the newer, smaller filesystem
 */
export function flashLayoutByName(script: string, core: string | undefined): FlashLayout | undefined {
  const borders = bordersOf(core);
  const name = `eagle.flash.${script.replace(/^.*eagle\.flash\./, '').replace(/\.ld$/, '')}.ld`;
  return borders === undefined ? undefined : layouts[borders].find((layout) => layout.name === name);
}

/**
 * The layout that has these borders (`_FS_start` and `_FS_end`), as offsets or as the addresses from 0x40200000 that
 * the linker's symbols are. Borders that no script has make a layout without a name.
 */
export function flashLayoutByBorders(fsStart: number, fsEnd: number): FlashLayout | undefined {
  const start = toOffset(fsStart);
  const end = toOffset(fsEnd);
  if (!isSectorBorder(start) || !isSectorBorder(end) || end < start) return undefined;
  const all = [...layouts['whole-blocks'], ...layouts['up-to-eeprom']];
  const known = all.find((layout) => layout.fsStart === start && layout.fsEnd === end);
  return known ?? { name: undefined, flashSizeBytes: undefined, fsStart: start, fsEnd: end, fsBlockBytes: undefined };
}

/** What two headers of an update request tell (`ESP8266HTTPUpdate::handleUpdate`). */
export interface SpaceHeaders {
  /** x-ESP8266-free-space: `ESP.getFreeSketchSpace()`. */
  readonly freeSpaceBytes: number;
  /** x-ESP8266-sketch-size: `ESP.getSketchSize()`. */
  readonly sketchSizeBytes: number;
  /** x-ESP8266-chip-size, where it was sent: it tells layouts apart that begin at the same offset. */
  readonly chipSizeBytes?: number | undefined;
}

/** Where the sketch area ends, and the layouts that can be meant. */
export interface SketchArea {
  /** `_FS_start` as an offset. */
  readonly endOffset: number;
  /** Those of the given core and chip size that end there; empty for a layout of somebody's own. */
  readonly candidates: readonly FlashLayout[];
}

/** The sketch area of a device: free space begins at the sector after the sketch (`EspClass::getFreeSketchSpace`). */
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

function bordersOf(core: string | undefined): Borders | undefined {
  if (core === undefined) return 'whole-blocks';
  const [major = 0, minor = 0] = core.split('.').map((part) => Number.parseInt(part, 10));
  if (!(major > 2 || (major === 2 && minor >= 5))) return undefined;
  return major === 2 && minor === 5 ? 'up-to-eeprom' : 'whole-blocks';
}

/** `flash_map` in `tools/boards.txt.py`. */
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
