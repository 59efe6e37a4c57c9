import { roundUpToSector } from '../../device-model/flash.ts';
import { partitionBytes } from '../device.ts';
import { sendForm, specify } from '../fixes.ts';
import { error, type Rule } from '../rule.ts';

export const fsInflateSize = {
  id: 'fs-inflate-size',
  condition:
    'A gzip-compressed filesystem image inflates beyond its partition, or the partition size is unknown: eboot would overwrite EEPROM, RF calibration and Wi-Fi settings.',
  severity: 'error',
  cores: 'device on 2.7.0 or later',
  evidence: ['eboot.c copy_raw: its output is not limited', 'Updater.cpp begin: only the compressed size is known'],
  check({ image, artifact, device }) {
    if (artifact.encoding !== 'gzip' || image.kind !== 'filesystem') return undefined;
    if (device === undefined) return undefined;
    const partition = partitionBytes(device);
    if (partition === undefined) {
      return error(
        'the size of the filesystem partition is unknown, and eboot does not limit its output',
        sendForm('raw'),
        specify('fsStart', 'fsEnd'),
      );
    }
    const inflatedBytes = artifact.inflate?.sizeBytes ?? 0;
    const excess = roundUpToSector(inflatedBytes) - partition;
    if (excess <= 0) return undefined;
    return error(
      `the filesystem image inflates to ${inflatedBytes} bytes; in whole sectors, that is ${excess} more than its partition of ${partition}: EEPROM, RF calibration and Wi-Fi settings would be overwritten`,
      { action: 'build', partitionBytes: partition },
    );
  },
} as const satisfies Rule;
