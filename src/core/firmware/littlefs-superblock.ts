import { crc32 } from 'node:zlib';
import { wordAt } from './little-endian.ts';

/** LittleFS parameters from the superblock. */
export interface LittleFsSuperblock {
  /** Major and minor version of the on-disk format, such as `2.0`. */
  readonly version: string;
  readonly blockSizeBytes: number;
  readonly blockCount: number;
  /** Revision of the metadata block that contains this superblock. */
  readonly revision: number;
  /** True if the geometry is plausible and the CRC of the commit is correct. */
  readonly valid: boolean;
}

const magic = 'littlefs';
const magicOffset = 8;
// Superblock: revision, superblock tag, magic, tag of the inline struct, inline struct (SPEC.md, "superblock entry").
const structOffset = 20;
// Block sizes to try. The core's layouts use 4096 and 8192 (`_FS_block`); other tools may use any power of two.
const blockSizes: readonly number[] = Array.from({ length: 12 }, (_, power) => 128 << power);

/**
 * Reads the superblock of a LittleFS image. Blocks 0 and 1 each contain a copy (littlefs `SPEC.md`, metadata pairs). The newest copy with
 * a correct CRC is used.
 */
export function readLittleFsSuperblock(content: Uint8Array): LittleFsSuperblock | undefined {
  const first = readCopy(content, 0);
  const second = first === undefined ? searchSecondCopy(content) : readCopy(content, first.blockSizeBytes);
  const copies = [first, second].filter((copy) => copy !== undefined);
  const sound = copies.filter(({ valid }) => valid);
  return newest(sound) ?? newest(copies);
}

/** Searches for the second copy if the first copy is missing. The copy's offset must equal the block size that the copy contains. */
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

/** Returns the copy with the newest revision. Revisions are sequence numbers that wrap around. */
function newest(copies: readonly LittleFsSuperblock[]): LittleFsSuperblock | undefined {
  return copies.reduce<LittleFsSuperblock | undefined>(
    (best, copy) => (best === undefined || ((copy.revision - best.revision) | 0) > 0 ? copy : best),
    undefined,
  );
}

// Upper four bits of a CRC tag's type. A forward CRC (type 0x5ff) does not end a commit.
const crcType = 0b1010;
const deletedLength = 0x3ff;

/** Checks the CRC of the first commit. Tags are big-endian. Each tag is xored with the previous tag, and the first tag with ffffffff. */
function hasSoundCommit(block: Uint8Array): boolean {
  let previous = 0xffffffff;
  let position = 4;
  while (position + 8 <= block.length) {
    const tag = (bigEndianWord(block, position) ^ previous) >>> 0;
    const isInvalid = tag >>> 31 === 1;
    if (isInvalid) return false;
    if (tag >>> 27 === crcType) {
      // The stored CRC has no final xor, unlike the CRC of zlib.
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
