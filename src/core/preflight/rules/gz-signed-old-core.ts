import { cutsSignatureOff } from '../device.ts';
import { sendForm, updateToGzip } from '../fixes.ts';
import { isSigned } from '../release.ts';
import { error, type Rule } from '../rule.ts';

export const gzSignedOldCore = {
  id: 'gz-signed-old-core',
  condition:
    'A signed gzip-compressed artifact for a device on core 2.7.0 to 2.7.4: eboot reads the inflated size from the last word, which is the length of the signature, and rewrites one sector of the sketch. The guard cuts the signature off.',
  severity: 'error',
  cores: 'device on 2.7.0-2.7.4',
  evidence: ['esp8266/Arduino#7570', 'esp8266/Arduino#7577', 'Updater.cpp end', 'eboot.c copy_raw'],
  check({ artifact, device }) {
    if (artifact.encoding !== 'gzip' || !isSigned(artifact)) return undefined;
    if (device?.capabilities?.gzip !== true || cutsSignatureOff(device) !== false) return undefined;
    const signatureBytes = artifact.sizeBytes - artifact.payloadBytes - 4;
    return error(
      `core ${device.facts.core} passes the compressed image to eboot with its signature, and eboot would use ${signatureBytes} as the size of the sketch: the device would be bricked`,
      sendForm('raw signed'),
      updateToGzip(artifact),
    );
  },
} as const satisfies Rule;
