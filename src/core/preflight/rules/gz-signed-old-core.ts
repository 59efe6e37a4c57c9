import { isSigned } from '../release.ts';
import { type Rule, refuse } from '../rule.ts';

export const gzSignedOldCore = {
  id: 'gz-signed-old-core',
  condition:
    'signed gzip to a device on 2.7.0 to 2.7.4: eboot takes the inflated size from the last word, which is the length of the signature, and rewrites one sector of the sketch',
  severity: 'refuse',
  cores: 'device on 2.7.0-2.7.4',
  evidence: ['esp8266/Arduino#7570', 'esp8266/Arduino#7577', 'Updater.cpp end', 'eboot.c copy_raw'],
  check({ artifact, device }) {
    if (artifact.encoding !== 'gzip' || !isSigned(artifact)) return undefined;
    const habits = device?.habits;
    if (habits === undefined || !habits.gzip || habits.cutsTrailerOff) return undefined;
    const signatureBytes = artifact.sizeBytes - artifact.payloadBytes - 4;
    return refuse(
      `core ${device?.facts.core} hands eboot the gzip with its signature, and eboot would take ${signatureBytes} for the size of the sketch: the device would be bricked`,
      'send the raw signed artifact; from core 3.0.0 on the device takes signed gzip',
    );
  },
} as const satisfies Rule;
