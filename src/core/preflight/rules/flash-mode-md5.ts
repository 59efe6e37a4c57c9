import { possibleTransports } from '../device.ts';
import { error, type Rule, warning } from '../rule.ts';

export const flashModeMd5 = {
  id: 'flash-mode-md5',
  condition:
    'Byte 2 of a raw sketch is not a flash mode (4 to 254): the Updater replaces the byte and cannot restore it for the MD5, so espota and HTTP updates fail with ERROR 7. A device that verifies signatures and the web updater do not check the MD5. Warning if the core, the transport or the signature check of the device is unknown.',
  severity: 'error or warning',
  cores: 'device on 2.4.2 or later',
  evidence: ['Updater.cpp _writeBuffer, end'],
  check({ image, artifact, device }) {
    if (device === undefined || artifact.encoding === 'gzip' || image.kind !== 'sketch') return undefined;
    const finding = image.findings.find(({ id }) => id === 'flash-mode-unknown');
    const { capabilities, facts } = device;
    if (finding === undefined || facts.signing === 'required' || capabilities?.patchesFlashMode === 'never') {
      return undefined;
    }
    const transports = possibleTransports(device);
    const checking = transports.filter((transport) => transport !== 'web');
    if (checking.length === 0) return undefined;
    const message = `${finding.message}: the Updater replaces the byte, and the update then fails with ERROR 7`;
    // Every chip supports dout.
    const fix = { action: 'build', flashMode: facts.flashMode ?? 'dout' } as const;
    const isCertain = checking.length === transports.length && capabilities !== undefined && facts.signing === 'none';
    return isCertain ? error(message, fix) : warning(message, fix);
  },
} as const satisfies Rule;
