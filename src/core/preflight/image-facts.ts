import {
  type InflateProfile,
  inflateProfile,
  lowestSafeStaging,
  modeledProfile,
} from '../device-model/inflate-profile.ts';
import type { Firmware } from '../firmware/firmware.ts';
import type { Artifact, Manifest } from '../model/manifest.ts';

type ImageFacts = Pick<
  Manifest['image'],
  | 'contentBytes'
  | 'sketchSizeBytes'
  | 'findings'
  | 'core'
  | 'coreGitHash'
  | 'crcRule'
  | 'flashMode'
  | 'flashSizeBytes'
  | 'flashFrequencyMHz'
  | 'traces'
  | 'guard'
  | 'filesystem'
>;

/**
 * Extracts the facts about an image that preflight rules need. Pack stores the facts in the manifest. Upload, publish and the server read
 * the facts from the manifest.
 *
 * @param isFilesystem true for a filesystem image; needed because some SPIFFS images cannot be detected
 */
export function imageFacts(firmware: Firmware, isFilesystem: boolean): ImageFacts {
  const sketch = isFilesystem ? undefined : firmware.sketch;
  const findings = isFilesystem ? firmware.findings.filter(({ id }) => id !== 'unknown-content') : firmware.findings;
  return {
    contentBytes: firmware.content.length,
    sketchSizeBytes: sketch?.sketchSizeBytes === firmware.content.length ? undefined : sketch?.sketchSizeBytes,
    findings: findings.map(({ id, message }) => ({ id, message })),
    core: sketch?.core.release,
    coreGitHash: sketch?.core.gitHash,
    crcRule: sketch?.crcRule,
    flashMode: sketch?.flash.mode,
    flashSizeBytes: sketch?.flash.sizeBytes,
    flashFrequencyMHz: sketch?.flash.frequencyMHz,
    traces: sketch && firmware.traces && { ...firmware.traces, sdkVersions: [...firmware.traces.sdkVersions] },
    guard: isFilesystem ? undefined : firmware.guard,
    filesystem: isFilesystem ? filesystemFacts(firmware) : undefined,
  };
}

function filesystemFacts({ filesystem, content }: Firmware): NonNullable<ImageFacts['filesystem']> {
  return {
    type: filesystem?.type ?? 'unknown',
    blockSizeBytes: filesystem?.blockSizeBytes,
    blockCount: filesystem?.blockCount,
    usedBytes: filesystem?.usedBytes ?? content.length,
    modeByte: content[2] ?? 0,
  };
}

/**
 * Computes the facts about inflating a gzip file with eboot.
 *
 * @param gzip compressed bytes without a signature
 * @param content uncompressed bytes
 * @param isSketch true for a sketch; a filesystem image is written above its staged bytes, so its staging address does not matter
 */
export function inflateFacts(gzip: Uint8Array, content: Uint8Array, isSketch: boolean): Artifact['inflate'] {
  const sizeBytes = content.length;
  return isSketch ? factsOfProfile(modeledProfile(gzip, sizeBytes), sizeBytes) : { sizeBytes };
}

/** Returns the same facts as {@link inflateFacts}, but faster in a process that has just started, such as a hook. */
export async function quickInflateFacts(
  gzip: Uint8Array,
  content: Uint8Array,
  isSketch: boolean,
): Promise<Artifact['inflate']> {
  const sizeBytes = content.length;
  return isSketch ? factsOfProfile(await inflateProfile(gzip, sizeBytes), sizeBytes) : { sizeBytes };
}

function factsOfProfile(profile: InflateProfile | undefined, sizeBytes: number): Artifact['inflate'] {
  if (profile === undefined) return undefined;
  const lowestStaging = {
    erasesFirst: lowestSafeStaging(profile, true),
    inflatesFirst: lowestSafeStaging(profile, false),
  };
  return { sizeBytes, lowestStaging };
}

/**
 * Returns the size of the partition that a filesystem image was made for, in bytes. Returns undefined if the superblock does not contain
 * the size.
 */
export function partitionOf(filesystem: NonNullable<ImageFacts['filesystem']>): number | undefined {
  const { blockSizeBytes, blockCount } = filesystem;
  return blockSizeBytes === undefined || blockCount === undefined ? undefined : blockSizeBytes * blockCount;
}
