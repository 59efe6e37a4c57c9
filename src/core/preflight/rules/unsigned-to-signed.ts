import { isSigned } from '../release.ts';
import { type Rule, refuse, warn } from '../rule.ts';

export const unsignedToSigned = {
  id: 'unsigned-to-signed',
  condition:
    'an unsigned artifact to a device that verifies: it is rejected, and old uploaders say OK. To a device of which that is not known: refused when the project has a key, else a warning when the image holds one',
  severity: 'refuse or warn',
  cores: 'all',
  evidence: ['esp8266/Arduino#7162', 'Updater.cpp end'],
  check({ release, artifact, device }) {
    if (device === undefined || isSigned(artifact) || device.facts.signing === 'none') return undefined;
    const instead = 'send the raw signed artifact';
    if (device.facts.signing === 'required') {
      return refuse('the device verifies signatures, and there is none: it would answer ERROR 12', instead);
    }
    if (release.signing.publicKey !== undefined) {
      return refuse(
        'the project has a key, it is not known whether the device verifies signatures, and this artifact has none',
        `${instead}, which devices with and without a key take`,
      );
    }
    if (release.embeddedKeys.length === 0) return undefined;
    return warn('it is not known whether the device verifies signatures; if it does, it will answer ERROR 12', instead);
  },
} as const satisfies Rule;
