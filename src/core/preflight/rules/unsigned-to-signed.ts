import { isSigned } from '../release.ts';
import { artifactFix, error, type Rule, warning } from '../rule.ts';

export const unsignedToSigned = {
  id: 'unsigned-to-signed',
  condition:
    'An unsigned artifact for a device that verifies signatures: the device rejects it, and old uploaders report OK. If it is unknown whether the device verifies signatures: an error if the project has a key, otherwise a warning if the image contains one.',
  severity: 'error or warning',
  cores: 'all',
  evidence: ['esp8266/Arduino#7162', 'Updater.cpp end'],
  check({ release, artifact, device }) {
    if (device === undefined || isSigned(artifact) || device.facts.signing === 'none') return undefined;
    const isBuildSigned = release.artifacts.some(isSigned);
    const build = 'build the project again, so that the build is signed';
    const fix = isBuildSigned ? artifactFix('raw signed') : build;
    if (device.facts.signing === 'required') {
      return error(
        'the device verifies signatures, but the artifact is unsigned: the device would reject it with ERROR 12',
        fix,
      );
    }
    if (release.signing.publicKey !== undefined) {
      return error(
        'the project has a key, but the artifact has no signature, and it is unknown whether the device verifies signatures',
        isBuildSigned ? artifactFix('raw signed', ', which devices with and without a key accept') : build,
      );
    }
    if (release.embeddedKeys.length === 0) return undefined;
    return warning(
      'it is unknown whether the device verifies signatures: if it does, it will reject the update with ERROR 12',
      fix,
    );
  },
} as const satisfies Rule;
