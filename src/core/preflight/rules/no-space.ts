import { roundUpToSector, sectorBytes } from '../../device-model/flash.ts';
import { smallestSketchArea } from '../../firmware/flash-layout.ts';
import type { PreflightFix } from '../../model/preflight-fix.ts';
import {
  cutsSignatureOff,
  type Device,
  freeBytes,
  partitionBytes,
  possibleTransports,
  sketchCapacity,
  stagesFilesystems,
} from '../device.ts';
import { sendForm, specify, useTransport } from '../fixes.ts';
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
        specify('fsStart', 'chipSizeBytes'),
        // If these facts are correct, the device cannot be updated.
        { action: 'serial' },
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
  if (tooSmall.length === capacities.length)
    return error(
      `${message}${gzipExcess(context, worst.capacity)}`,
      ...sketchFixes(context, device, worst.capacity, needed),
    );
  return warning(
    `over ${tooSmall.map(({ transport }) => transport).join(' and ')}, ${message}`,
    // espota and HTTP can use one sector more.
    useTransport('espota', 'http'),
  );
}

/**
 * Warns if the update may be too large for the unknown free space: on cores before 2.4.2, in which the start address of an oversized update
 * wraps around, and if the update does not fit into every layout beside a sketch whose size is known.
 */
function ofUnknownSpace({ facts, capabilities }: Device, needed: number): RuleFinding | undefined {
  const fix = specify('fsStart', 'sketchSizeBytes');
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

/** Lower bound for the size of a sketch with Wi-Fi and an updater, even compressed. If less space is free, no sketch can be sent. */
const smallestSketchBytes = 160 * 1024;

/** Returns the fixes for a sketch that is too large: a gzip artifact that fits, a smaller image, or a smaller running sketch. */
function sketchFixes(context: Context, device: Device, capacity: number, needed: number): readonly PreflightFix[] {
  const { artifact } = context;
  const { fsStart } = device.facts;
  const trailer = trailerBytes(artifact);
  const spareBytes = gzipSpare(context, capacity) ?? -1;
  const isGzipPossible = artifact.encoding === 'identity' && spareBytes >= 0 && acceptsGzip(device, artifact) !== false;
  const ifCore = device.capabilities === undefined ? (isSigned(artifact) ? '3.0.0' : '2.7.0') : undefined;
  const gzip = isGzipPossible ? [{ ...sendForm('gzip'), spareBytes, ifCore }] : [];
  const build: readonly PreflightFix[] =
    capacity >= smallestSketchBytes ? [{ action: 'build', mostBytes: capacity - trailer }] : [];
  // A smaller running sketch leaves more space, but it must fit into the space that is free now.
  const firstBytes = Math.min(capacity, (fsStart ?? 0) - needed - sectorBytes) - trailer;
  const first: readonly PreflightFix[] =
    firstBytes >= smallestSketchBytes ? [{ action: 'update-first', mostBytes: firstBytes }] : [];
  const fixes = [...gzip, ...first, ...build];
  return fixes.length === 0 ? [{ action: 'serial' }] : fixes;
}

/** Returns the space that is left beside the image compressed with gzip; negative if it is too large, and undefined if its size is unknown. */
function gzipSpare({ release, image, artifact }: Context, capacity: number): number | undefined {
  const sibling = release.artifacts.find(
    (other) => other.encoding === 'gzip' && isSigned(other) === isSigned(artifact),
  );
  const gzipBytes =
    sibling?.sizeBytes ?? (image.gzipBytes === undefined ? undefined : image.gzipBytes + trailerBytes(artifact));
  return gzipBytes === undefined ? undefined : capacity - roundUpToSector(gzipBytes);
}

function gzipExcess(context: Context, capacity: number): string {
  const spareBytes = context.artifact.encoding === 'gzip' ? undefined : gzipSpare(context, capacity);
  return spareBytes === undefined || spareBytes >= 0
    ? ''
    : `; even compressed with gzip, this sketch is ${-spareBytes} bytes too large`;
}

/** Returns true if eboot of the device inflates a gzip artifact that is signed as this artifact is. Returns undefined if unknown. */
function acceptsGzip(device: Device, artifact: ReleaseArtifact): boolean | undefined {
  return device.capabilities?.gzip && (!isSigned(artifact) || cutsSignatureOff(device));
}

/** Returns the fixes for a filesystem image that is too large to be staged beside the running sketch. */
function filesystemFixes({ release, image, artifact }: Context, device: Device, free: number): readonly PreflightFix[] {
  const mostBytes = Math.floor(free / sectorBytes) * sectorBytes;
  const trailer = trailerBytes(artifact);
  const isGzipPossible =
    artifact.encoding === 'identity' &&
    acceptsGzip(device, artifact) === true &&
    release.artifacts.some(({ encoding, sizeBytes }) => encoding === 'gzip' && sizeBytes <= mostBytes);
  const usedBytes = image.filesystem?.type === 'littlefs' ? image.filesystem.usedBytes : Number.POSITIVE_INFINITY;
  const isCut = artifact.encoding === 'identity' && usedBytes + trailer <= mostBytes;
  const smaller: PreflightFix = isCut
    ? { action: 'pack', mostBytes: usedBytes }
    : mostBytes > trailer
      ? { action: 'build', mostBytes: mostBytes - trailer }
      : { action: 'serial' };
  return [...(isGzipPossible ? [sendForm('gzip')] : []), smaller];
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
      { action: 'build', partitionBytes: partition },
    );
  }
  if (partition === undefined && device.capabilities?.boundsFilesystem === false) {
    return warning(
      `the size of the filesystem partition is unknown: core ${device.facts.core} would overwrite the flash after it if the image is larger`,
      specify('fsStart', 'fsEnd'),
    );
  }
  const free = freeBytes(device);
  const stages = stagesFilesystems(device);
  if (stages === false || free === undefined || needed <= free) return undefined;
  const condition = stages === undefined ? 'if the running sketch was built with ATOMIC_FS_UPDATE, ' : '';
  const message = `${condition}the update is staged first and needs ${needed} bytes, but only ${free} are free: ${needed - free} too many (ERROR 4)`;
  const fixes = filesystemFixes(context, device, free);
  return stages === true ? error(message, ...fixes) : warning(message, ...fixes);
}
