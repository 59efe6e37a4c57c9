import { sendForm, specify } from '../fixes.ts';
import { isSigned } from '../release.ts';
import { error, type Rule } from '../rule.ts';

export const gzSignedUnsignedDevice = {
  id: 'gz-signed-unsigned-device',
  condition:
    'A signed gzip-compressed artifact, unless the device is known to verify signatures: a device built without a key reports OK, and eboot uses the length of the signature as the size of the sketch.',
  severity: 'error',
  cores: 'device on 2.7.0 or later',
  evidence: [
    'Updater.cpp end',
    'eboot.c copy_raw',
    'ota_updates/readme.rst "Signed Binary", which states the opposite',
  ],
  check({ artifact, device }) {
    if (device === undefined || artifact.encoding !== 'gzip' || !isSigned(artifact)) return undefined;
    if (device.facts.signing === 'required' || device.capabilities?.gzip === false) return undefined;
    const signatureBytes = artifact.sizeBytes - artifact.payloadBytes - 4;
    const consequence = `eboot would use ${signatureBytes}, the length of the signature, as the inflated size`;
    return device.facts.signing === 'none'
      ? error(
          `the device was built without a key and does not remove the signature: ${consequence}`,
          sendForm('unsigned gzip'),
          sendForm('raw signed'),
        )
      : error(
          `it is unknown whether the device verifies signatures: if it does not, ${consequence}`,
          // Devices with and without a key accept the raw signed artifact.
          sendForm('raw signed'),
          specify('signing'),
        );
  },
} as const satisfies Rule;
