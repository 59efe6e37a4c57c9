import { crc32 } from 'node:zlib';
import { setWord } from './image-builder.ts';

/** A LittleFS image with valid superblocks only: content blocks after them, erased blocks at the end. */
export interface LittleFsRecipe {
  readonly blockSizeBytes?: number;
  readonly blockCount: number;
  /** Contents of the blocks after the two superblocks. */
  readonly content?: Uint8Array;
  /** Revision of the first superblock copy; the second copy has the next revision. Its third byte is byte 2 of the image. */
  readonly revision?: number;
}

/** Builds an image with both superblock copies as in littlefs' SPEC.md ("metadata blocks", "superblock entry"). */
export function buildLittleFs(recipe: LittleFsRecipe): Uint8Array<ArrayBuffer> {
  const { blockSizeBytes = 4096, blockCount, content = new Uint8Array(0), revision = 1 } = recipe;
  const image = new Uint8Array(blockSizeBytes * blockCount).fill(0xff);
  image.set(superblock(revision, blockSizeBytes, blockCount), 0);
  image.set(superblock(revision + 1, blockSizeBytes, blockCount), blockSizeBytes);
  image.set(content, 2 * blockSizeBytes);
  return image;
}

function superblock(revision: number, blockSizeBytes: number, blockCount: number): Uint8Array {
  const nameTag = 0x0ff00008;
  const geometryTag = 0x20100018;
  const crcTag = 0x500ffc00 | 4;
  const block = new Uint8Array(52);
  setWord(block, 0, revision);
  setBigEndianWord(block, 4, nameTag ^ 0xffffffff);
  block.set(Buffer.from('littlefs', 'latin1'), 8);
  setBigEndianWord(block, 16, geometryTag ^ nameTag);
  for (const [index, word] of [0x00020000, blockSizeBytes, blockCount, 255, 0x7fffffff, 1022].entries()) {
    setWord(block, 20 + 4 * index, word);
  }
  setBigEndianWord(block, 44, crcTag ^ geometryTag);
  setWord(block, 48, crc32(block.subarray(0, 48)) ^ 0xffffffff);
  return block;
}

function setBigEndianWord(bytes: Uint8Array, offset: number, value: number): void {
  new DataView(bytes.buffer).setUint32(offset, value >>> 0);
}
