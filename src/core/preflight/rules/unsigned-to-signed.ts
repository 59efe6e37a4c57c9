import type { PreflightFix } from '../../model/preflight-fix.ts';
import { type Device, expectedFormat } from '../device.ts';
import { sendForm, signedForm } from '../fixes.ts';
import { isSigned, type Release, type ReleaseArtifact } from '../release.ts';
import { error, type Rule, warning } from '../rule.ts';

export const unsignedToSigned = {
  id: 'unsigned-to-signed',
  condition:
    'An unsigned artifact for a device that verifies signatures: the device rejects it, and old uploaders report OK. If it is unknown whether the device verifies signatures: an error if the project has a key, otherwise a warning if the image contains one.',
  severity: 'error or warning',
  cores: 'all',
  evidence: ['esp8266/Arduino#7162', 'Updater.cpp end'],
  check({ release, artifact, device }) {
    if (device === undefined || isSigned(artifact) || device.facts.signing === 'none') return undefined;
    // Devices with and without a key accept the raw signed artifact.
    const fix = release.artifacts.some((other) => isRawFor(device, other))
      ? sendForm(signedForm(device))
      : sign(device, release);
    if (device.facts.signing === 'required') {
      return error(
        'the device verifies signatures, but the artifact is unsigned: the device would reject it with ERROR 12',
        fix,
      );
    }
    if (release.signing.publicKey !== undefined) {
      return error(
        'the project has a key, but the artifact has no signature, and it is unknown whether the device verifies signatures',
        fix,
      );
    }
    if (release.embeddedKeys.length === 0) return undefined;
    return warning(
      'it is unknown whether the device verifies signatures: if it does, it will reject the update with ERROR 12',
      fix,
    );
  },
} as const satisfies Rule;

/** Returns true for a raw artifact with a signature in a format that the device may verify. */
function isRawFor(device: Device, { encoding, signature }: ReleaseArtifact): boolean {
  const format = expectedFormat(device);
  return (
    encoding === 'identity' &&
    signature !== 'none' &&
    (format === undefined || signature === 'unverified' || signature === format)
  );
}

/** Returns a fix for a build without signatures: sign it with the key of the device, or of the project. */
function sign({ facts }: Device, { signing }: Release): PreflightFix {
  return { action: 'sign', keyFingerprint: facts.keyFingerprint ?? signing.publicKey?.fingerprint };
}
