import { isSigned } from '../release.ts';
import { type Rule, refuse } from '../rule.ts';

export const gzSignedUnsignedDevice = {
  id: 'gz-signed-unsigned-device',
  condition:
    'signed gzip to a device that was built without a key, or of which that is not known: it says OK, and eboot takes the length of the signature for the size of the sketch',
  severity: 'refuse',
  cores: 'device on 2.7.0 or later',
  evidence: ['Updater.cpp end', 'eboot.c copy_raw', 'ota_updates/readme.rst "Signed Binary", which says otherwise'],
  check({ artifact, device }) {
    if (device === undefined || artifact.encoding !== 'gzip' || !isSigned(artifact)) return undefined;
    if (device.facts.signing === 'required' || device.habits?.gzip === false) return undefined;
    const signatureBytes = artifact.sizeBytes - artifact.payloadBytes - 4;
    const consequence = `eboot would take ${signatureBytes}, the length of the signature, for the size of what it inflates`;
    return device.facts.signing === 'none'
      ? refuse(
          `the device was built without a key, so it does not cut the signature off, and ${consequence}`,
          'send the raw signed artifact, or gzip without a signature',
        )
      : refuse(
          `it is not known whether the device verifies signatures; if it does not, ${consequence}`,
          'send the raw signed artifact, which both kinds of devices take',
        );
  },
} as const satisfies Rule;
