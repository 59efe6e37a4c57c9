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
  | 'findings'
  | 'core'
  | 'coreGitHash'
  | 'flashMode'
  | 'flashSizeBytes'
  | 'flashFrequencyMHz'
  | 'traces'
  | 'filesystem'
>;

/**
 * What rules look at in an image, taken from its bytes once: pack stores it in the manifest, from which upload, publish and server read it.
 *
 * @param isFilesystem known beforehand, since some SPIFFS images have no mark of their own
 */
export function imageFacts(firmware: Firmware, isFilesystem: boolean): ImageFacts {
  const sketch = isFilesystem ? undefined : firmware.sketch;
  const findings = isFilesystem ? firmware.findings.filter(({ id }) => id !== 'unknown-content') : firmware.findings;
  return {
    contentBytes: firmware.content.length,
    findings: findings.map(({ id, message }) => ({ id, message })),
    core: sketch?.core.release,
    coreGitHash: sketch?.core.gitHash,
    flashMode: sketch?.flash.mode,
    flashSizeBytes: sketch?.flash.sizeBytes,
    flashFrequencyMHz: sketch?.flash.frequencyMHz,
    traces: sketch && firmware.traces && { ...firmware.traces, sdkVersions: [...firmware.traces.sdkVersions] },
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
 * What eboot will make of a gzip.
 *
 * @param gzip without a signature behind it
 * @param content what it inflates to
 * @param isSketch only of a sketch it matters where it is staged: a filesystem is written above it
 */
export function inflateFacts(gzip: Uint8Array, content: Uint8Array, isSketch: boolean): Artifact['inflate'] {
  const sizeBytes = content.length;
  return isSketch ? factsOfProfile(modeledProfile(gzip, sizeBytes), sizeBytes) : { sizeBytes };
}

/** The same, at less cost for a process that has just started: a hook. */
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

/** The partition that a filesystem was made for; undefined where its superblock does not tell. */
export function partitionOf(filesystem: NonNullable<ImageFacts['filesystem']>): number | undefined {
  const { blockSizeBytes, blockCount } = filesystem;
  return blockSizeBytes === undefined || blockCount === undefined ? undefined : blockSizeBytes * blockCount;
}
