import { roundUpToSector, sectorBytes } from '../../device-model/flash.ts';
import {
  type Device,
  freeBytes,
  partitionBytes,
  possibleTransports,
  sketchCapacity,
  stagesFilesystems,
} from '../device.ts';
import { isSigned, type ReleaseArtifact } from '../release.ts';
import { type Context, type Objection, type Rule, refuse, warn } from '../rule.ts';
import { fsSignedSize } from './fs-signed-size.ts';

export const noSpace = {
  id: 'no-space',
  condition: 'the update does not fit where it is staged, or a filesystem not into its partition',
  severity: 'refuse or warn',
  cores: 'all',
  evidence: ['esp8266/Arduino#6549', 'Updater.cpp begin', 'Esp.cpp getFreeSketchSpace'],
  check(context) {
    const { image, device } = context;
    if (device === undefined) return undefined;
    const { fsStart, chipSizeBytes } = device.facts;
    if (fsStart !== undefined && chipSizeBytes !== undefined && fsStart > chipSizeBytes) {
      return refuse(
        `the flash layout of the device puts its filesystem at ${fsStart}, beyond the ${chipSizeBytes} bytes of its chip`,
        'mend the facts; if they are right, the device needs a cable',
      );
    }
    return image.kind === 'filesystem' ? checkFilesystem(context, device) : checkSketch(context, device);
  },
} as const satisfies Rule;

function checkSketch(context: Context, device: Device): Objection | undefined {
  const { artifact } = context;
  const { fsStart } = device.facts;
  const needed = roundUpToSector(artifact.sizeBytes);
  const capacities = possibleTransports(device).map((transport) => ({
    transport,
    capacity: sketchCapacity(device, transport) ?? fsStart,
  }));
  const tooSmall = capacities.filter(({ capacity }) => capacity !== undefined && capacity < needed);
  const [worst] = tooSmall.sort((a, b) => (b.capacity ?? 0) - (a.capacity ?? 0));
  if (worst?.capacity === undefined) return freeBytes(device) === undefined ? ofUnknownSpace(device) : undefined;
  const missing = needed - worst.capacity;
  const message = `the update takes ${needed} bytes in flash, and ${worst.capacity} are free: ${missing} too many, which is ERROR 4`;
  if (tooSmall.length === capacities.length) return refuse(message, gzipInstead(context, worst.capacity));
  return warn(
    `over ${tooSmall.map(({ transport }) => transport).join(' and ')} ${message}`,
    'use espota or HTTP, which have a sector more',
  );
}

/** Before 2.4.2 a size that is too large wraps around. */
function ofUnknownSpace({ facts, habits }: Device): Objection | undefined {
  if (habits?.wrapsTooLargeSize !== true) return undefined;
  return warn(
    `it is not known how much space is free, and core ${facts.core} miscounts where there is too little: it would overwrite anything`,
    'name the flash layout (--fs-start) and the size of the present sketch (--sketch-size)',
  );
}

/** Whether gzip would fit: the one that is there, or what gzip made of a file to find out. */
function gzipInstead({ release, image, artifact }: Context, capacity: number): string {
  const smaller = 'a smaller sketch first, or a flash layout with a smaller filesystem, which needs a cable once';
  if (artifact.encoding === 'gzip') return smaller;
  const sibling = release.artifacts.find(
    (other) => other.encoding === 'gzip' && isSigned(other) === isSigned(artifact),
  );
  const gzipBytes =
    sibling?.sizeBytes ?? (image.gzipBytes === undefined ? undefined : image.gzipBytes + trailerBytes(artifact));
  if (gzipBytes === undefined) return smaller;
  const spare = capacity - roundUpToSector(gzipBytes);
  return spare >= 0
    ? `gzip would fit with ${Math.floor(spare / 1024)} KB to spare, if the device takes it`
    : `even gzip has ${-spare} bytes too many: ${smaller}`;
}

function trailerBytes({ sizeBytes, payloadBytes }: ReleaseArtifact): number {
  return sizeBytes - payloadBytes;
}

function checkFilesystem(context: Context, device: Device): Objection | undefined {
  const { artifact, refused } = context;
  const needed = roundUpToSector(artifact.sizeBytes);
  const partition = partitionBytes(device);
  if (partition !== undefined && needed > partition) {
    if (refused.includes(fsSignedSize.id)) return undefined;
    const unbounded = device.habits?.boundsFilesystem === false;
    return refuse(
      `the filesystem takes ${needed} bytes and its partition has ${partition}: ${
        unbounded ? `core ${device.facts.core} would overwrite what follows it` : 'the device would answer ERROR 4'
      }`,
      "make the image for the device's flash layout",
    );
  }
  if (partition === undefined && device.habits?.boundsFilesystem === false) {
    return warn(
      `it is not known how large the filesystem partition is, and core ${device.facts.core} would overwrite what follows it`,
      'name the flash layout with --fs-start and --fs-end',
    );
  }
  const free = freeBytes(device);
  const stages = stagesFilesystems(device);
  if (stages === false || free === undefined || needed <= free) return undefined;
  const message = `the update is staged first, takes ${needed} bytes, and ${free} are free: ${needed - free} too many, which is ERROR 4`;
  const instead = `a smaller image (a LittleFS may be cut after its last used block), or gzip, of at most ${Math.floor(free / sectorBytes) * sectorBytes} bytes`;
  return stages === true ? refuse(message, instead) : warn(message, instead);
}
