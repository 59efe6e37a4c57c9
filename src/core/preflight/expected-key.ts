import type { Context } from './rule.ts';

/** Returns the fingerprint of the key that signs updates, taken from the artifact, else from its project, else from the device. */
export function expectedKey({ release, artifact, device }: Context): string | undefined {
  if (artifact.keyFingerprint !== undefined) return artifact.keyFingerprint;
  if (release.signing.publicKey !== undefined) return release.signing.publicKey.fingerprint;
  return device?.facts.signing === 'required' ? device.facts.keyFingerprint : undefined;
}

/** Returns whether the artifact is signed, its project has a key, or the device requires signatures. */
export function concernsSigning({ release, artifact, device }: Context): boolean {
  return (
    artifact.signature !== 'none' || release.signing.publicKey !== undefined || device?.facts.signing === 'required'
  );
}
