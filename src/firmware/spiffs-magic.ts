import { halfWordAt } from './little-endian.ts';

/** What a SPIFFS was formatted with. It stores neither number: both follow from where its magics lie. */
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
// Of the 16 bits of one magic 1 in 65,536 random words would do; several in a row leave nothing to chance.
const fewestBlocks = 2;
const blocksLookedAt = 4;

/**
 * Recognises a SPIFFS by the word that each block holds before its erase count: 0x0529 xor the page size xor the number
 * of blocks from here to the end (`SPIFFS_MAGIC` in `spiffs_nucleus.h`, SPIFFS_USE_MAGIC and SPIFFS_USE_MAGIC_LENGTH in
 * the core's `spiffs_config.h`). An image made without these options looks like any bytes and is not recognised.
 */
export function readSpiffsGeometry(content: Uint8Array): SpiffsGeometry | undefined {
  for (const blockSizeBytes of blockSizes) {
    const blockCount = blocksFrom(content, 0, blockSizeBytes);
    if (blockCount === undefined || blockCount < fewestBlocks) continue;
    const looked = Math.min(blockCount, blocksLookedAt, Math.floor(content.length / blockSizeBytes));
    if (looked < fewestBlocks) continue;
    const agree = Array.from(
      { length: looked },
      (_, index) => blocksFrom(content, index, blockSizeBytes) === blockCount - index,
    );
    if (agree.every(Boolean)) return { blockSizeBytes, blockCount, pageSizeBytes };
  }
  return undefined;
}

/** What the magic of block `index` says of the number of blocks from it to the end. */
function blocksFrom(content: Uint8Array, index: number, blockSizeBytes: number): number | undefined {
  const pagesPerBlock = blockSizeBytes / pageSizeBytes;
  const lookupPages = Math.max(1, Math.floor((pagesPerBlock * objectIdBytes) / pageSizeBytes));
  const offset = index * blockSizeBytes + lookupPages * pageSizeBytes - 2 * objectIdBytes;
  const word = halfWordAt(content, offset);
  return word === undefined ? undefined : word ^ magic ^ pageSizeBytes;
}
