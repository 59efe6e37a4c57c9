import { crc32 } from 'node:zlib';
import { wordAt } from './little-endian.ts';

/** What a LittleFS was formatted with. */
export interface LittleFsSuperblock {
  /** Major and minor of the on-disk format, such as `2.0`. */
  readonly version: string;
  readonly blockSizeBytes: number;
  readonly blockCount: number;
  /** Of the metadata block that it was read from. */
  readonly revision: number;
  /** False when the CRC of the commit that it stands in is wrong. */
  readonly valid: boolean;
}

const magic = 'littlefs';
const magicOffset = 8;
// Revision, superblock tag, magic, tag of the inline struct: then the struct itself (SPEC.md, "superblock entry").
const structOffset = 20;
// The core's layouts have 4096 and 8192 (`_FS_block`); other tools may use any power of two.
const blockSizes: readonly number[] = Array.from({ length: 12 }, (_, power) => 128 << power);

/**
 * The superblock of a LittleFS image. There are two copies, in blocks 0 and 1, of which the one with the newer revision
 * counts if its CRC is right: the other is what was before, or a write that a power cut ended (littlefs `SPEC.md`,
 * metadata pairs).
 */
export function readLittleFsSuperblock(content: Uint8Array): LittleFsSuperblock | undefined {
  const first = readCopy(content, 0);
  const second = first === undefined ? searchSecondCopy(content) : readCopy(content, first.blockSizeBytes);
  const copies = [first, second].filter((copy) => copy !== undefined);
  const sound = copies.filter(({ valid }) => valid);
  return newest(sound) ?? newest(copies);
}

/** Without a first copy only its place tells the block size, which the copy itself must confirm. */
function searchSecondCopy(content: Uint8Array): LittleFsSuperblock | undefined {
  for (const blockSizeBytes of blockSizes) {
    const copy = readCopy(content, blockSizeBytes);
    if (copy?.blockSizeBytes === blockSizeBytes) return copy;
  }
  return undefined;
}

function readCopy(content: Uint8Array, offset: number): LittleFsSuperblock | undefined {
  const block = content.subarray(offset);
  if (Buffer.from(block.subarray(magicOffset, magicOffset + magic.length)).toString('latin1') !== magic)
    return undefined;
  const revision = wordAt(block, 0);
  const version = wordAt(block, structOffset);
  const blockSizeBytes = wordAt(block, structOffset + 4);
  const blockCount = wordAt(block, structOffset + 8);
  if (revision === undefined || version === undefined || blockSizeBytes === undefined || blockCount === undefined) {
    return undefined;
  }
  return {
    version: `${version >>> 16}.${version & 0xffff}`,
    blockSizeBytes,
    blockCount,
    revision,
    valid: isUsual(blockSizeBytes, blockCount) && hasSoundCommit(block.subarray(0, blockSizeBytes)),
  };
}

function isUsual(blockSizeBytes: number, blockCount: number): boolean {
  return blockSizes.includes(blockSizeBytes) && blockCount >= 2 && blockCount * blockSizeBytes <= 0x80000000;
}

/** Revisions are compared as a sequence that wraps around. */
function newest(copies: readonly LittleFsSuperblock[]): LittleFsSuperblock | undefined {
  return copies.reduce<LittleFsSuperblock | undefined>(
    (best, copy) => (best === undefined || ((copy.revision - best.revision) | 0) > 0 ? copy : best),
    undefined,
  );
}

// The upper four bits of the type: 0x5ff, a forward CRC, is no end of a commit.
const crcType = 0b1010;
const deletedLength = 0x3ff;

/**
 * Walks the tags of the first commit up to its CRC tag. Tags are big-endian and each is xored with the one before it,
 * which starts as ffffffff.
 */
function hasSoundCommit(block: Uint8Array): boolean {
  let previous = 0xffffffff;
  let position = 4;
  while (position + 8 <= block.length) {
    const tag = (bigEndianWord(block, position) ^ previous) >>> 0;
    const isInvalid = tag >>> 31 === 1;
    if (isInvalid) return false;
    if (tag >>> 27 === crcType) {
      // The stored CRC has no final xor, zlib's has one.
      const stored = wordAt(block, position + 4);
      return stored === (crc32(block.subarray(0, position + 4)) ^ 0xffffffff) >>> 0;
    }
    const length = tag & 0x3ff;
    position += 4 + (length === deletedLength ? 0 : length);
    previous = tag;
  }
  return false;
}

function bigEndianWord(bytes: Uint8Array, offset: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(offset, offset + 4);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
