import { roundUpToSector } from '../../device-model/flash.ts';
import { partitionBytes } from '../device.ts';
import { type Rule, refuse } from '../rule.ts';

export const fsInflateSize = {
  id: 'fs-inflate-size',
  condition:
    'gzip of a filesystem that inflates beyond its partition, or where that is not known: eboot runs on into EEPROM, RF calibration and Wi-Fi settings',
  severity: 'refuse',
  cores: 'device on 2.7.0 or later',
  evidence: ['eboot.c copy_raw: nothing bounds what it writes', 'Updater.cpp begin: only the compressed size is known'],
  check({ image, artifact, device }) {
    if (artifact.encoding !== 'gzip' || image.kind !== 'filesystem') return undefined;
    if (device === undefined) return undefined;
    const partition = partitionBytes(device);
    if (partition === undefined) {
      return refuse(
        'it is not known how large the filesystem partition of the device is, and nothing but that bounds what eboot inflates',
        'send the raw artifact, or name the flash layout with --fs-start and --fs-end',
      );
    }
    const inflatedBytes = artifact.inflate?.sizeBytes ?? 0;
    const excess = roundUpToSector(inflatedBytes) - partition;
    if (excess <= 0) return undefined;
    return refuse(
      `the filesystem inflates to ${inflatedBytes} bytes, ${excess} more than its partition of ${partition} has: EEPROM, RF calibration and Wi-Fi settings would be overwritten`,
      "make the image for the device's flash layout",
    );
  },
} as const satisfies Rule;
