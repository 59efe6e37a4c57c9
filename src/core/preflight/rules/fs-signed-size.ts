import { roundUpToSector } from '../../device-model/flash.ts';
import { rawMetadataBytes } from '../../firmware/update-metadata.ts';
import type { PreflightFix } from '../../model/preflight-fix.ts';
import { partitionBytes } from '../device.ts';
import { partitionOf } from '../image-facts.ts';
import { isSigned, type Release, type ReleaseImage } from '../release.ts';
import { type Context, error, type Rule, type RuleFinding, warning } from '../rule.ts';

const lengthWordBytes = 4;

export const fsSignedSize = {
  id: 'fs-signed-size',
  condition:
    'A raw filesystem image fits into its partition, but not together with its signature. The rule uses the partition size of the device, or else the size in the superblock. Without a device: a warning for an unsigned build that leaves no room for its signature.',
  severity: 'error or warning',
  cores: 'device on 2.5.0 or later; before 2.6.0 the size is not limited, and the EEPROM sector is overwritten',
  evidence: ['esp8266/Arduino#6505', 'Updater.cpp begin'],
  check(context) {
    const { image, artifact, device } = context;
    if (image.kind !== 'filesystem' || artifact.encoding === 'gzip') return undefined;
    if (!isSigned(artifact)) return device === undefined ? aheadOfSigning(context) : undefined;
    const bound = (device && partitionBytes(device)) ?? (image.filesystem && partitionOf(image.filesystem));
    const imageBytes = artifact.payloadBytes - (artifact.metadata === undefined ? 0 : rawMetadataBytes);
    if (bound === undefined || roundUpToSector(imageBytes) > bound) return undefined;
    const excess = roundUpToSector(artifact.sizeBytes) - bound;
    if (excess <= 0) return undefined;
    const trailerBytes = artifact.sizeBytes - imageBytes;
    const unbounded = device?.capabilities?.boundsFilesystem === false;
    return error(
      `with its signature the image has ${artifact.sizeBytes} bytes, but the partition has ${bound}: ${
        unbounded
          ? `core ${device?.facts.core} would overwrite the EEPROM sector`
          : 'the device would reject the update with ERROR 4'
      }`,
      fixFor(image, bound, trailerBytes),
    );
  },
} as const satisfies Rule;

/** Checks whether an unsigned build fits after signing. Pack cuts off erased LittleFS blocks before signing. */
function aheadOfSigning({ release, image, artifact }: Context): RuleFinding | undefined {
  const { publicKey } = release.signing;
  const bound = image.filesystem && partitionOf(image.filesystem);
  if (publicKey === undefined || bound === undefined) return undefined;
  const trailerBytes = publicKey.bits / 8 + lengthWordBytes + (release.metadata?.raw === true ? rawMetadataBytes : 0);
  if (smallestPayload(image, artifact.payloadBytes) + trailerBytes <= bound) return undefined;
  return warning(
    `the filesystem fills its partition of ${bound} bytes: there is no room for the signature of ${trailerBytes} bytes`,
    fixFor(image, bound, trailerBytes),
  );
}

function fixFor(image: ReleaseImage, bound: number, trailerBytes: number): PreflightFix {
  const usedBytes = smallestPayload(image, image.contentBytes);
  const isCut = image.filesystem?.type === 'littlefs' && usedBytes + trailerBytes <= bound;
  return isCut ? { action: 'pack', mostBytes: usedBytes } : { action: 'build', mostBytes: bound - trailerBytes };
}

function smallestPayload({ filesystem }: Release['image'], wholeBytes: number): number {
  return filesystem?.type === 'littlefs' ? Math.min(filesystem.usedBytes, wholeBytes) : wholeBytes;
}
