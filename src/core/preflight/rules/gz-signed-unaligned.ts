import { isSigned } from '../release.ts';
import { error, type Rule, warning } from '../rule.ts';

const wordBytes = 4;

export const gzSignedUnaligned = {
  id: 'gz-signed-unaligned',
  condition:
    'The payload length of a signed artifact is not a multiple of 4, and the device verifies signatures: the Updater fails to read the last bytes and computes an incorrect hash. Warning if the core or the signature check of the device is unknown.',
  severity: 'error or warning',
  cores: 'device on 3.1.0-3.1.2',
  evidence: ['esp8266/Arduino#9109', 'Esp.cpp flashRead', 'Updater.cpp end'],
  check({ artifact, device }) {
    if (device === undefined || !isSigned(artifact) || device.facts.signing === 'none') return undefined;
    const excess = artifact.payloadBytes % wordBytes;
    if (excess === 0 || device.capabilities?.skipsUnalignedTail === false) return undefined;
    const message = `the signed payload has ${artifact.payloadBytes} bytes, ${wordBytes - excess} short of a multiple of 4`;
    const fix = { action: 'pack' } as const;
    const isCertain = device.capabilities !== undefined && device.facts.signing === 'required';
    return isCertain
      ? error(`${message}: core ${device.facts.core} would reject the update with ERROR 12`, fix)
      : warning(`${message}: cores 3.1.0 to 3.1.2 would reject the update with ERROR 12`, fix);
  },
} as const satisfies Rule;
