import { halfWordAt } from './little-endian.ts';

/** SPIFFS parameters from the magic numbers. If these do not contain the number of blocks, the blocks in the file are counted. */
export interface SpiffsGeometry {
  readonly blockSizeBytes: number;
  readonly blockCount: number;
  readonly pageSizeBytes: number;
}

const magic = 0x0529;
const objectIdBytes = 2;
// `_FS_page` is 256 in all linker scripts of the core; `_FS_block` is 4096 or 8192.
const pageSizeBytes = 256;
const blockSizes = [4096, 8192, 16384, 32768, 65536];
// A 16-bit magic matches by chance once in 65,536 words; several matches in a row rule out chance.
const fewestBlocks = 2;
const blocksLookedAt = 4;

/**
 * Recognizes SPIFFS by the word before the erase count in each block (`SPIFFS_MAGIC` in `spiffs_nucleus.h`). The core and its mkspiffs
 * write 0x0529 xor the page size (SPIFFS_USE_MAGIC without SPIFFS_USE_MAGIC_LENGTH in `spiffs_config.h`); other mkspiffs builds also xor it
 * with the number of blocks up to the end. An image made without SPIFFS_USE_MAGIC cannot be recognized.
 */
export function readSpiffsGeometry(content: Uint8Array): SpiffsGeometry | undefined {
  for (const blockSizeBytes of blockSizes) {
    const wholeBlocks = Math.floor(content.length / blockSizeBytes);
    if (wholeBlocks < fewestBlocks) return undefined;
    const looked = Math.min(wholeBlocks, blocksLookedAt);
    const words = Array.from({ length: looked }, (_, index) => unmaskedMagic(content, index, blockSizeBytes));
    const [first = 0] = words;
    if (words.every((word) => word === 0)) return { blockSizeBytes, blockCount: wholeBlocks, pageSizeBytes };
    if (first >= fewestBlocks && words.every((word, index) => word === first - index)) {
      return { blockSizeBytes, blockCount: first, pageSizeBytes };
    }
  }
  return undefined;
}

/** Returns a block's magic without its constant parts: 0, or the number of blocks from this one to the end. */
function unmaskedMagic(content: Uint8Array, index: number, blockSizeBytes: number): number | undefined {
  const pagesPerBlock = blockSizeBytes / pageSizeBytes;
  const lookupPages = Math.max(1, Math.floor((pagesPerBlock * objectIdBytes) / pageSizeBytes));
  const offset = index * blockSizeBytes + lookupPages * pageSizeBytes - 2 * objectIdBytes;
  const word = halfWordAt(content, offset);
  return word === undefined ? undefined : word ^ magic ^ pageSizeBytes;
}
