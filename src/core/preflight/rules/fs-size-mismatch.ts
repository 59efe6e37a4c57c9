import { compareReleases } from '../../device-model/cores.ts';
import { type Device, partitionBytes } from '../device.ts';
import { partitionOf } from '../image-facts.ts';
import type { ReleaseImage } from '../release.ts';
import { type Objection, type Rule, refuse, warn } from '../rule.ts';

/** The first release whose LittleFS compares its superblock with the partition. */
const comparing = '3.1.1';

export const fsSizeMismatch = {
  id: 'fs-size-mismatch',
  condition:
    'a LittleFS whose block count x block size is not the partition, though the file may be shorter: it is not mounted. A SPIFFS, an older or unknown core, or an image that does not say: a warning. A LittleFS longer than it says itself',
  severity: 'refuse or warn',
  cores: 'device on 3.1.1 or later',
  evidence: ['esp8266/Arduino#8826', 'lfs.c lfs_mount', 'LittleFS.h'],
  check({ image, device }) {
    if (image.kind !== 'filesystem' || image.filesystem === undefined) return undefined;
    const contradiction = image.findings.find(({ id }) => id === 'filesystem-size-mismatch');
    if (contradiction !== undefined) {
      const instead = "make the image for the device's flash layout";
      return image.filesystem.type === 'littlefs'
        ? refuse(contradiction.message, instead)
        : warn(contradiction.message, instead);
    }
    const partition = device && partitionBytes(device);
    if (device === undefined || partition === undefined) return undefined;
    return againstPartition(image.filesystem, partition, device);
  },
} as const satisfies Rule;

function againstPartition(
  filesystem: NonNullable<ReleaseImage['filesystem']>,
  partition: number,
  device: Device,
): Objection | undefined {
  const made = partitionOf(filesystem);
  if (made === partition || filesystem.type === 'erased') return undefined;
  if (made === undefined) {
    return warn(
      `the image does not say for which partition it was made, and the device's has ${partition} bytes`,
      "make sure that the image is for the device's flash layout",
    );
  }
  const message = `the ${filesystem.type === 'littlefs' ? 'LittleFS' : 'SPIFFS'} was made for a partition of ${made} bytes, and the device's has ${partition}`;
  const instead = `make the image for ${partition} bytes; it may be cut shorter afterwards`;
  const compares =
    filesystem.type === 'littlefs' &&
    device.habits !== undefined &&
    compareReleases(device.facts.core ?? '', comparing) >= 0;
  return compares
    ? refuse(`${message}: core ${device.facts.core} would not mount it`, instead)
    : warn(`${message}: it may not be mounted`, instead);
}
