import { halfWordAt } from './little-endian.ts';

/**
 * SPIFFS parameters derived from the magic numbers. If the magic numbers do not contain the number of blocks, the blocks in the file are
 * counted.
 */
export interface SpiffsGeometry {
  readonly blockSizeBytes: number;
  readonly blockCount: number;
  readonly pageSizeBytes: number;
}

const magic = 0x0529;
const objectIdBytes = 2;
// Page and block sizes in the core's linker scripts: `_FS_page` is 256; `_FS_block` is 4096 or 8192.
const pageSizeBytes = 256;
const blockSizes = [4096, 8192, 16384, 32768, 65536];
// Number of matching blocks required. A 16-bit magic number matches by chance once in 65,536 words.
const fewestBlocks = 2;
const blocksLookedAt = 4;

/**
 * Recognizes SPIFFS by the magic number in each block (`SPIFFS_MAGIC` in `spiffs_nucleus.h`). The core and its mkspiffs write 0x0529 xor
 * the page size. Builds of mkspiffs with SPIFFS_USE_MAGIC_LENGTH also xor the number of blocks up to the end. An image made without
 * SPIFFS_USE_MAGIC cannot be recognized.
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

/** Returns the variable part of a block's magic number: 0, or the number of blocks from this block to the end. */
function unmaskedMagic(content: Uint8Array, index: number, blockSizeBytes: number): number | undefined {
  const pagesPerBlock = blockSizeBytes / pageSizeBytes;
  const lookupPages = Math.max(1, Math.floor((pagesPerBlock * objectIdBytes) / pageSizeBytes));
  const offset = index * blockSizeBytes + lookupPages * pageSizeBytes - 2 * objectIdBytes;
  const word = halfWordAt(content, offset);
  return word === undefined ? undefined : word ^ magic ^ pageSizeBytes;
}
