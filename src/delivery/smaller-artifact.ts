import type { DeviceFacts } from '../core/model/device-facts.ts';
import { plan } from '../core/preflight/plan.ts';
import type { Release, ReleaseArtifact } from '../core/preflight/release.ts';
import { factsOfBuild } from '../core/preflight/running.ts';

/** Artifact that would be sent if more facts about the device were known. */
export interface SmallerArtifact {
  readonly artifact: ReleaseArtifact;
  /** Names of the missing facts. */
  readonly missing: readonly (keyof DeviceFacts)[];
}

/**
 * Finds a smaller artifact that only unknown facts block. A device that runs an earlier build of the project probably has the facts of
 * this build.
 *
 * @param sent artifact that the known facts allow
 */
export function smallerArtifact(
  facts: DeviceFacts,
  release: Release,
  sent: ReleaseArtifact,
  allow: ReadonlySet<string>,
): SmallerArtifact | undefined {
  const { flashMode, flashSizeBytes } = release.image;
  const likely: DeviceFacts = { ...factsOfBuild(release), flashMode, chipSizeBytes: flashSizeBytes };
  // `Object.keys` returns strings, but all keys of `likely` are keys of `DeviceFacts`.
  const names = Object.keys(likely) as (keyof DeviceFacts)[];
  const unknown = names.filter((name) => facts[name] === undefined && likely[name] !== undefined);
  const sentWith = (assumed: readonly (keyof DeviceFacts)[]): ReleaseArtifact | undefined => {
    const more = Object.fromEntries(assumed.map((name) => [name, likely[name]]));
    const decided = plan<Release>({ facts: { ...facts, ...more }, target: release, allow });
    return decided.kind === 'send' ? decided.artifact : undefined;
  };
  const artifact = sentWith(unknown);
  if (artifact === undefined || artifact.sizeBytes >= sent.sizeBytes) return undefined;
  let missing = unknown;
  for (const name of unknown) {
    const fewer = missing.filter((other) => other !== name);
    if (sentWith(fewer)?.file === artifact.file) missing = fewer;
  }
  return missing.length === 0 ? undefined : { artifact, missing };
}
