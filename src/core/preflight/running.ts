import type { FlashMode } from '../model/artifact.ts';
import type { DeviceFacts } from '../model/device-facts.ts';
import type { Manifest } from '../model/manifest.ts';
import { knownDevice } from './device.ts';
import type { Release, ReleaseArtifact } from './release.ts';

/** Returns the facts about a device that follow from its running build. An absent fact is unknown. */
export function factsOfBuild({ project, board, image, embeddedKeys, enforcement, signing }: Release): DeviceFacts {
  const isProven = enforcement === 'elf' || enforcement === 'declared';
  const verifies = isProven && signing.publicKey !== undefined;
  const isWithoutKey = embeddedKeys.length === 0 && signing.publicKey === undefined;
  return {
    core: image.core,
    signing: verifies ? 'required' : isWithoutKey ? 'none' : undefined,
    keyFingerprint: verifies ? signing.publicKey?.fingerprint : undefined,
    // A sketch that installs its own verifier may still contain the record of the guard that it replaces. A device without the guard would
    // accept what only the guard makes safe, such as signed gzip data on core 2.7.
    guard: verifies && enforcement === 'elf' ? image.guard : undefined,
    fsStart: image.layout?.fsStart,
    fsEnd: image.layout?.fsEnd,
    flashMap: image.traces && image.traces.flashMap === true,
    sketchSizeBytes: image.sketchSizeBytes ?? image.contentBytes,
    project,
    board,
  };
}

/** Returns the known facts about a device after it has installed this artifact. */
export function factsAfter(facts: DeviceFacts, release: Release, artifact: ReleaseArtifact): DeviceFacts {
  const { chipSizeBytes, transport } = facts;
  if (release.image.kind !== 'sketch') return facts;
  const built = factsOfBuild(release);
  return {
    ...built,
    project: built.project ?? facts.project,
    board: built.board ?? facts.board,
    flashMode: flashModeAfter(facts, release.image.flashMode, artifact),
    chipSizeBytes,
    transport,
  };
}

/** Returns the flash mode in flash after an update; undefined if the modes differ and the capabilities of the core are unknown. */
function flashModeAfter(
  facts: DeviceFacts,
  imageMode: FlashMode | undefined,
  { encoding }: ReleaseArtifact,
): FlashMode | undefined {
  if (encoding === 'gzip' || imageMode === facts.flashMode) return imageMode;
  const capability = knownDevice(facts).capabilities?.patchesFlashMode;
  if (capability === undefined) return undefined;
  return capability === 'never' ? imageMode : facts.flashMode;
}

/** Recognized build of a device, and the device facts that follow from the build. */
export interface Recognition {
  readonly manifest: Manifest;
  readonly facts: DeviceFacts;
}

/**
 * Recognizes a device's running build by its `ESP.getSketchMD5()`. The MD5 also identifies the flash mode in the device's flash.
 *
 * @param sketchMd5 32 hex digits, as in the header x-ESP8266-sketch-md5
 */
export function recognize(sketchMd5: string, known: readonly Manifest[]): Recognition | undefined {
  const wanted = sketchMd5.toLowerCase();
  for (const manifest of known) {
    const match = manifest.image.sketchMd5s.find(({ md5 }) => md5 === wanted);
    if (match !== undefined) {
      return { manifest, facts: { ...factsOfBuild(manifest), flashMode: match.flashMode } };
    }
  }
  return undefined;
}
