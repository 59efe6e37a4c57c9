import type { Context } from './rule.ts';

/** The key that updates of the device are signed with, as far as the artefact, its project and the device tell. */
export function expectedKey({ release, artefact, device }: Context): string | undefined {
  if (artefact.keyFingerprint !== undefined) return artefact.keyFingerprint;
  if (release.signing.publicKey !== undefined) return release.signing.publicKey.fingerprint;
  return device?.facts.signing === 'required' ? device.facts.keyFingerprint : undefined;
}

/** Whether signatures matter here: to the artefact, to its project, or to the device. */
export function concernsSigning({ release, artefact, device }: Context): boolean {
  return (
    artefact.signature !== 'none' || release.signing.publicKey !== undefined || device?.facts.signing === 'required'
  );
}
