import type { Context } from './rule.ts';

/**
 * Returns the fingerprint of the key that signs later updates. The sources, in order, are the artifact, its project and the device. The
 * artifacts of a hop are signed with the previous key, so that devices change to the key of the project.
 */
export function expectedKey({ release, artifact, device }: Context): string | undefined {
  const isHop = release.signing.previousKey !== undefined;
  if (artifact.keyFingerprint !== undefined && !isHop) return artifact.keyFingerprint;
  if (release.signing.publicKey !== undefined) return release.signing.publicKey.fingerprint;
  return device?.facts.signing === 'required'
    ? (device.facts.keyFingerprint ?? device.facts.guard?.keys[0])
    : undefined;
}

/** Returns true if the artifact is signed, its project has a key, or the device requires signatures. */
export function concernsSigning({ release, artifact, device }: Context): boolean {
  return (
    artifact.signature !== 'none' || release.signing.publicKey !== undefined || device?.facts.signing === 'required'
  );
}
