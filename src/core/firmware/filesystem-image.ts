import { usedExtent } from './erased-flash.ts';
import type { Finding, Reading } from './finding.ts';
import { type LittleFsSuperblock, readLittleFsSuperblock } from './littlefs-superblock.ts';
import { readSpiffsGeometry } from './spiffs-magic.ts';

/** Filesystem image as written by mklittlefs or mkspiffs. */
export interface FilesystemImage {
  /** State of the filesystem. `erased`: all bytes are 0xFF. The device finds no filesystem and formats the partition. */
  readonly type: 'littlefs' | 'spiffs' | 'erased';
  /** Version of the on-disk format, such as `2.0`; undefined for SPIFFS, which stores no version. */
  readonly version: string | undefined;
  readonly blockSizeBytes: number | undefined;
  readonly blockCount: number | undefined;
  /** Size of the partition that the image was made for: block size multiplied by block count. */
  readonly partitionBytes: number | undefined;
  /**
   * Number of bytes in use, rounded up to whole blocks. Never more than the image size. If the block size is unknown, sectors are used
   * instead of blocks. In a LittleFS image, the remaining bytes are erased and can be cut off.
   */
  readonly usedBytes: number;
}

const sectorBytes = 4096;

/** Reads bytes that may be a filesystem image. The result is undefined if no filesystem is recognized. */
export function readFilesystemImage(content: Uint8Array): Reading<FilesystemImage | undefined> {
  const superblock = readLittleFsSuperblock(content);
  if (superblock !== undefined) return readLittleFs(content, superblock);

  const spiffs = readSpiffsGeometry(content);
  if (spiffs !== undefined) {
    const { blockSizeBytes, blockCount } = spiffs;
    const image = describe(content, { type: 'spiffs', version: undefined, blockSizeBytes, blockCount });
    return { value: image, findings: sizeFindings(content, image) };
  }
  if (content.length === 0 || usedExtent(content) > 0) return { value: undefined, findings: [] };
  const image = describe(content, {
    type: 'erased',
    version: undefined,
    blockSizeBytes: undefined,
    blockCount: undefined,
  });
  return {
    value: image,
    findings: [{ id: 'filesystem-erased', message: 'the image contains only erased flash (0xff)', offset: 0 }],
  };
}

function readLittleFs(content: Uint8Array, superblock: LittleFsSuperblock): Reading<FilesystemImage> {
  const { version, blockSizeBytes, blockCount, valid } = superblock;
  if (!valid) {
    const message = `the LittleFS superblock is damaged (${blockCount} blocks of ${blockSizeBytes} bytes)`;
    const image = describe(content, { type: 'littlefs', version, blockSizeBytes: undefined, blockCount: undefined });
    return { value: image, findings: [{ id: 'filesystem-superblock-invalid', message, offset: 0 }] };
  }
  const image = describe(content, { type: 'littlefs', version, blockSizeBytes, blockCount });
  return { value: image, findings: sizeFindings(content, image) };
}

type Geometry = Pick<FilesystemImage, 'type' | 'version' | 'blockSizeBytes' | 'blockCount'>;

function describe(content: Uint8Array, geometry: Geometry): FilesystemImage {
  const { blockSizeBytes, blockCount } = geometry;
  const partitionBytes =
    blockSizeBytes === undefined || blockCount === undefined ? undefined : blockSizeBytes * blockCount;
  const unit = blockSizeBytes ?? sectorBytes;
  const usedBytes = Math.min(content.length, Math.ceil(usedExtent(content) / unit) * unit);
  return { ...geometry, partitionBytes, usedBytes };
}

/**
 * Checks the size of the image against the size of its partition. A LittleFS image may be shorter, because erased blocks may have been
 * cut off its end. Missing blocks that were not erased cannot be detected. A SPIFFS image may be longer by a part of a block: before core
 * 2.6.0, the partitions in some layouts were not a whole number of blocks.
 */
function sizeFindings(
  content: Uint8Array,
  { type, partitionBytes, blockSizeBytes }: FilesystemImage,
): readonly Finding[] {
  if (partitionBytes === undefined || blockSizeBytes === undefined) return [];
  const mostBytes = partitionBytes + (type === 'spiffs' ? blockSizeBytes - 1 : 0);
  if (content.length > mostBytes || (type === 'spiffs' && content.length < partitionBytes)) {
    const message = `the filesystem was made for ${partitionBytes} bytes, but the image has ${content.length}`;
    return [{ id: 'filesystem-size-mismatch', message, offset: Math.min(content.length, partitionBytes) }];
  }
  if (content.length >= 2 * blockSizeBytes) return [];
  const message = `the image has ${content.length} bytes, less than two blocks, the minimum size of a LittleFS`;
  return [{ id: 'filesystem-truncated', message, offset: content.length }];
}
