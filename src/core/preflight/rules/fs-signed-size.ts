import { roundUpToSector } from '../../device-model/flash.ts';
import { partitionBytes } from '../device.ts';
import { partitionOf } from '../image-facts.ts';
import { isSigned, type Release, type ReleaseImage } from '../release.ts';
import { type Context, type Objection, type Rule, refuse, warn } from '../rule.ts';

const lengthWordBytes = 4;

export const fsSignedSize = {
  id: 'fs-signed-size',
  condition:
    'a filesystem image that fills its partition and does not fit with a signature behind it (the partition is that of the device, or else of the superblock). Of a build by itself: a warning when it cannot be cut so that it fits',
  severity: 'refuse or warn',
  cores: 'device on 2.5.0 or later; before 2.6.0 nothing bounds it, and the EEPROM sector is overwritten',
  evidence: ['esp8266/Arduino#6505', 'Updater.cpp begin'],
  check(context) {
    const { image, artifact, device } = context;
    if (image.kind !== 'filesystem' || artifact.encoding === 'gzip') return undefined;
    if (!isSigned(artifact)) return device === undefined ? aheadOfSigning(context) : undefined;
    const bound = (device && partitionBytes(device)) ?? (image.filesystem && partitionOf(image.filesystem));
    if (bound === undefined || roundUpToSector(artifact.payloadBytes) > bound) return undefined;
    const excess = roundUpToSector(artifact.sizeBytes) - bound;
    if (excess <= 0) return undefined;
    const trailerBytes = artifact.sizeBytes - artifact.payloadBytes;
    const unbounded = device?.habits?.boundsFilesystem === false;
    return refuse(
      `with its signature the image has ${artifact.sizeBytes} bytes, and the partition ${bound}: ${
        unbounded ? `core ${device?.facts.core} would overwrite the EEPROM sector` : 'the device would answer ERROR 4'
      }`,
      wayOut(image, bound, trailerBytes),
    );
  },
} as const satisfies Rule;

/** Whether a build that is yet to be signed will fit: pack cuts what it can. */
function aheadOfSigning({ release, image, artifact }: Context): Objection | undefined {
  const { publicKey } = release.signing;
  const bound = image.filesystem && partitionOf(image.filesystem);
  if (publicKey === undefined || bound === undefined) return undefined;
  const trailerBytes = publicKey.bits / 8 + lengthWordBytes;
  if (smallestPayload(image, artifact.payloadBytes) + trailerBytes <= bound) return undefined;
  return warn(
    `the filesystem fills its partition of ${bound} bytes, so that it does not fit with a signature of ${trailerBytes} bytes behind it`,
    wayOut(image, bound, trailerBytes),
  );
}

function wayOut(image: ReleaseImage, bound: number, trailerBytes: number): string {
  if (image.filesystem?.type !== 'littlefs') {
    return 'use LittleFS, whose erased blocks can be cut off before it is signed, or make the image a block smaller';
  }
  const cutBytes = smallestPayload(image, image.contentBytes);
  return cutBytes + trailerBytes <= bound
    ? `cut the erased blocks off before it is signed, as \`ota-hooks pack\` does: ${cutBytes} bytes are in use`
    : 'put less into the filesystem: its last block is in use';
}

function smallestPayload({ filesystem }: Release['image'], wholeBytes: number): number {
  return filesystem?.type === 'littlefs' ? Math.min(filesystem.usedBytes, wholeBytes) : wholeBytes;
}
