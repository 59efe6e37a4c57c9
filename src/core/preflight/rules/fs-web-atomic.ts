import { freeBytes, partitionBytes, stagesFilesystems } from '../device.ts';
import { type Rule, refuse, warn } from '../rule.ts';

export const fsWebAtomic = {
  id: 'fs-web-atomic',
  condition:
    'a filesystem to the web updater of a device with ATOMIC_FS_UPDATE that has less free space than the partition: it stages the whole partition, however small the gzip',
  severity: 'refuse or warn',
  cores: 'device on 2.7.0 or later',
  evidence: ['ESP8266HTTPUpdateServer-impl.h UPLOAD_FILE_START', 'Updater.cpp begin'],
  check({ image, artifact, device }) {
    if (device === undefined || image.kind !== 'filesystem') return undefined;
    const { transport } = device.facts;
    if (transport === 'espota' || transport === 'http' || stagesFilesystems(device) === false) return undefined;
    const free = freeBytes(device);
    const partition = partitionBytes(device);
    const instead = 'use espota or HTTP, which stage no more than is sent';
    if (free === undefined || partition === undefined) {
      if (artifact.encoding !== 'gzip') return undefined;
      return refuse(
        'it is not known how much space the device has free, and the web updater stages the whole partition',
        `${instead} (--transport), or name --sketch-size, --fs-start and --fs-end`,
      );
    }
    if (partition <= free) return undefined;
    const message = `the web updater asks for the whole partition of ${partition} bytes, and ${free} are free to stage it: it would answer ERROR 4`;
    return transport === 'web' && stagesFilesystems(device) === true
      ? refuse(message, instead)
      : warn(message, instead);
  },
} as const satisfies Rule;
