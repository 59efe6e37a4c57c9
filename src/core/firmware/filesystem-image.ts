import { usedExtent } from './erased-flash.ts';
import type { Finding, Reading } from './finding.ts';
import { type LittleFsSuperblock, readLittleFsSuperblock } from './littlefs-superblock.ts';
import { readSpiffsGeometry } from './spiffs-magic.ts';

/** A filesystem image as mklittlefs and mkspiffs make it. */
export interface FilesystemImage {
  /** `erased`: nothing but 0xFF, which the device takes for no filesystem and formats. */
  readonly type: 'littlefs' | 'spiffs' | 'erased';
  /** Of the on-disk format, such as `2.0`; undefined for SPIFFS, which stores none. */
  readonly version: string | undefined;
  readonly blockSizeBytes: number | undefined;
  readonly blockCount: number | undefined;
  /** The partition that it was made for: block size x block count. */
  readonly partitionBytes: number | undefined;
  /**
   * How much of the image is in use: after the last byte that is not erased, rounded up to a block (a sector where the
   * block size is unknown), but not beyond the image. What follows can be cut off a LittleFS.
   */
  readonly usedBytes: number;
}

const sectorBytes = 4096;

/** Reads bytes that may be a filesystem; undefined when nothing shows that they are one. */
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
    findings: [{ id: 'filesystem-erased', message: 'the image holds nothing but erased flash (0xff)', offset: 0 }],
  };
}

function readLittleFs(content: Uint8Array, superblock: LittleFsSuperblock): Reading<FilesystemImage> {
  const { version, blockSizeBytes, blockCount, valid } = superblock;
  if (!valid) {
    const message = `the LittleFS superblock is damaged (it says ${blockCount} blocks of ${blockSizeBytes} bytes)`;
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

/** A shorter file is fine where only erased blocks were cut off, which the filesystem's own blocks cannot tell. */
function sizeFindings(
  content: Uint8Array,
  { type, partitionBytes, blockSizeBytes }: FilesystemImage,
): readonly Finding[] {
  if (partitionBytes === undefined || blockSizeBytes === undefined) return [];
  if (content.length > partitionBytes || (type === 'spiffs' && content.length !== partitionBytes)) {
    const message = `the filesystem was made for ${partitionBytes} bytes, but the image has ${content.length}`;
    return [{ id: 'filesystem-size-mismatch', message, offset: Math.min(content.length, partitionBytes) }];
  }
  if (content.length >= 2 * blockSizeBytes) return [];
  const message = `the image has ${content.length} bytes, less than the two blocks that every LittleFS has`;
  return [{ id: 'filesystem-truncated', message, offset: content.length }];
}
