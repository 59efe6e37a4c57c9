import { roundUpToSector, sectorBytes } from '../../device-model/flash.ts';
import { smallestSketchArea } from '../../firmware/flash-layout.ts';
import {
  type Device,
  freeBytes,
  partitionBytes,
  possibleTransports,
  sketchCapacity,
  stagesFilesystems,
} from '../device.ts';
import { isSigned, type ReleaseArtifact } from '../release.ts';
import { type Context, error, type Rule, type RuleFinding, warning } from '../rule.ts';
import { fsSignedSize } from './fs-signed-size.ts';

export const noSpace = {
  id: 'no-space',
  condition: 'The update does not fit into its staging area, or a filesystem image does not fit into its partition.',
  severity: 'error or warning',
  cores: 'all',
  evidence: ['esp8266/Arduino#6549', 'Updater.cpp begin', 'Esp.cpp getFreeSketchSpace'],
  check(context) {
    const { image, device } = context;
    if (device === undefined) return undefined;
    const { fsStart, chipSizeBytes } = device.facts;
    if (fsStart !== undefined && chipSizeBytes !== undefined && fsStart > chipSizeBytes) {
      return error(
        `the device's filesystem starts at ${fsStart}, beyond the ${chipSizeBytes} bytes of its flash chip`,
        'correct the device facts, or flash the device over serial if the facts are correct',
      );
    }
    return image.kind === 'filesystem' ? checkFilesystem(context, device) : checkSketch(context, device);
  },
} as const satisfies Rule;

function checkSketch(context: Context, device: Device): RuleFinding | undefined {
  const { artifact } = context;
  const { fsStart } = device.facts;
  const needed = roundUpToSector(artifact.sizeBytes);
  const capacities = possibleTransports(device).map((transport) => ({
    transport,
    capacity: sketchCapacity(device, transport) ?? fsStart,
  }));
  const tooSmall = capacities.filter(({ capacity }) => capacity !== undefined && capacity < needed);
  const [worst] = tooSmall.sort((a, b) => (b.capacity ?? 0) - (a.capacity ?? 0));
  if (worst?.capacity === undefined)
    return freeBytes(device) === undefined ? ofUnknownSpace(device, needed) : undefined;
  const missing = needed - worst.capacity;
  const message = `the update needs ${needed} bytes of flash, but only ${worst.capacity} are free: ${missing} too many (ERROR 4)`;
  if (tooSmall.length === capacities.length) return error(message, gzipInstead(context, worst.capacity));
  return warning(
    `over ${tooSmall.map(({ transport }) => transport).join(' and ')}, ${message}`,
    'use espota or HTTP, which can use one sector more',
  );
}

/**
 * Warns if the update may be too large for the unknown free space: on cores before 2.4.2, in which the start address of an oversized update
 * wraps around, and if the update does not fit into every layout beside a sketch whose size is known.
 */
function ofUnknownSpace({ facts, capabilities }: Device, needed: number): RuleFinding | undefined {
  const fix = 'specify the flash layout (--fs-start) and the size of the running sketch (--sketch-size)';
  if (capabilities?.wrapsTooLargeSize === true) {
    return warning(
      `the free space is unknown: if it is too small, core ${facts.core} computes an incorrect start address and overwrites other data`,
      fix,
    );
  }
  const { fsStart, sketchSizeBytes, chipSizeBytes } = facts;
  if (fsStart !== undefined || sketchSizeBytes === undefined) return undefined;
  const fitsAlways = needed <= smallestSketchArea(chipSizeBytes) - roundUpToSector(sketchSizeBytes);
  return fitsAlways
    ? undefined
    : warning(
        `the flash layout of the device is unknown: the update needs ${needed} bytes beside a sketch of ${sketchSizeBytes} bytes, and the device rejects it with ERROR 4 if its filesystem leaves less space`,
        fix,
      );
}

/** Returns a hint that states whether a gzip artifact fits. For a file without a manifest, the gzip size is used. */
function gzipInstead({ release, image, artifact }: Context, capacity: number): string {
  const smaller =
    'send a smaller sketch first, or use a flash layout with a smaller filesystem (needs a serial cable once)';
  if (artifact.encoding === 'gzip') return smaller;
  const sibling = release.artifacts.find(
    (other) => other.encoding === 'gzip' && isSigned(other) === isSigned(artifact),
  );
  const gzipBytes =
    sibling?.sizeBytes ?? (image.gzipBytes === undefined ? undefined : image.gzipBytes + trailerBytes(artifact));
  if (gzipBytes === undefined) return smaller;
  const spare = capacity - roundUpToSector(gzipBytes);
  return spare >= 0
    ? `send the gzip artifact if the device supports gzip: it would fit with ${Math.floor(spare / 1024)} KB to spare`
    : `${smaller}; even compressed with gzip, this sketch is ${-spare} bytes too large`;
}

function trailerBytes({ sizeBytes, payloadBytes }: ReleaseArtifact): number {
  return sizeBytes - payloadBytes;
}

function checkFilesystem(context: Context, device: Device): RuleFinding | undefined {
  const { artifact, errors } = context;
  const needed = roundUpToSector(artifact.sizeBytes);
  const partition = partitionBytes(device);
  if (partition !== undefined && needed > partition) {
    if (errors.includes(fsSignedSize.id)) return undefined;
    const unbounded = device.capabilities?.boundsFilesystem === false;
    return error(
      `the filesystem image needs ${needed} bytes, but its partition has ${partition}: ${
        unbounded
          ? `core ${device.facts.core} would overwrite the flash after it`
          : 'the device would reject the update with ERROR 4'
      }`,
      "build the image for the device's flash layout",
    );
  }
  if (partition === undefined && device.capabilities?.boundsFilesystem === false) {
    return warning(
      `the size of the filesystem partition is unknown: core ${device.facts.core} would overwrite the flash after it if the image is larger`,
      'specify the flash layout (--fs-start and --fs-end)',
    );
  }
  const free = freeBytes(device);
  const stages = stagesFilesystems(device);
  if (stages === false || free === undefined || needed <= free) return undefined;
  const condition = stages === undefined ? 'if the running sketch was built with ATOMIC_FS_UPDATE, ' : '';
  const message = `${condition}the update is staged first and needs ${needed} bytes, but only ${free} are free: ${needed - free} too many (ERROR 4)`;
  const fix = `send a smaller image (a LittleFS image can be cut off after its last used block) or a gzip artifact, of at most ${Math.floor(free / sectorBytes) * sectorBytes} bytes`;
  return stages === true ? error(message, fix) : warning(message, fix);
}
