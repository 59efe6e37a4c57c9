import type { Context } from './rule.ts';

/** The key that updates of the device are signed with, as far as the artifact, its project and the device tell. */
export function expectedKey({ release, artifact, device }: Context): string | undefined {
  if (artifact.keyFingerprint !== undefined) return artifact.keyFingerprint;
  if (release.signing.publicKey !== undefined) return release.signing.publicKey.fingerprint;
  return device?.facts.signing === 'required' ? device.facts.keyFingerprint : undefined;
}

/** Whether signatures matter here: to the artifact, to its project, or to the device. */
export function concernsSigning({ release, artifact, device }: Context): boolean {
  return (
    artifact.signature !== 'none' || release.signing.publicKey !== undefined || device?.facts.signing === 'required'
  );
}
