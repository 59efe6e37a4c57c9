import { type Device, partitionBytes as partitionBytesOf } from '../device.ts';
import { partitionOf } from '../image-facts.ts';
import type { ReleaseImage } from '../release.ts';
import { advice, error, type Rule, type RuleFinding, warning } from '../rule.ts';

export const fsSizeMismatch = {
  id: 'fs-size-mismatch',
  condition:
    'The size in the LittleFS superblock (block count x block size) differs from the partition size, so the filesystem fails to mount. Also an error if a LittleFS image is longer than this size. Warning for SPIFFS, for an older or unknown core, and for an image that does not contain its size.',
  severity: 'error or warning',
  cores: 'device on 3.1.1 or later',
  evidence: ['esp8266/Arduino#8826', 'lfs.c lfs_mount', 'LittleFS.h'],
  check({ image, device }) {
    if (image.kind !== 'filesystem' || image.filesystem === undefined) return undefined;
    const contradiction = image.findings.find(({ id }) => id === 'filesystem-size-mismatch');
    if (contradiction !== undefined) {
      const partitionBytes = (device && partitionBytesOf(device)) ?? partitionOf(image.filesystem);
      const fix = { action: 'build', partitionBytes } as const;
      return image.filesystem.type === 'littlefs'
        ? error(contradiction.message, fix)
        : warning(contradiction.message, fix);
    }
    const partition = device && partitionBytesOf(device);
    if (device === undefined || partition === undefined) return undefined;
    return againstPartition(image.filesystem, partition, device);
  },
} as const satisfies Rule;

function againstPartition(
  filesystem: NonNullable<ReleaseImage['filesystem']>,
  partition: number,
  device: Device,
): RuleFinding | undefined {
  const made = partitionOf(filesystem);
  if (made === partition || filesystem.type === 'erased') return undefined;
  if (made !== undefined && isWholeBlocksOf(partition, made, filesystem)) return undefined;
  if (made === undefined) {
    return advice(
      `the image does not contain its partition size, and the device's partition has ${partition} bytes`,
      "check that the image was built for the device's flash layout",
    );
  }
  const message = `the ${filesystem.type === 'littlefs' ? 'LittleFS' : 'SPIFFS'} image was made for a partition of ${made} bytes, but the device's partition has ${partition}`;
  const fix = { action: 'build', partitionBytes: partition } as const;
  const compares = filesystem.type === 'littlefs' && device.capabilities?.comparesLittleFsSize === true;
  return compares
    ? error(`${message}: core ${device.facts.core} would not mount it`, fix)
    : warning(`${message}: it may fail to mount`, fix);
}

/** SPIFFS uses the whole blocks of a partition. Before core 2.6.0, some partitions ended with a part of a block. */
function isWholeBlocksOf(
  partition: number,
  made: number,
  { type, blockSizeBytes = 0 }: NonNullable<ReleaseImage['filesystem']>,
): boolean {
  return type === 'spiffs' && made < partition && partition - made < blockSizeBytes;
}
