import { freeBytes, partitionBytes, stagesFilesystems } from '../device.ts';
import { specify, useTransport } from '../fixes.ts';
import { error, type Rule, warning } from '../rule.ts';

export const fsWebAtomic = {
  id: 'fs-web-atomic',
  condition:
    'A filesystem image for the web updater of a device with ATOMIC_FS_UPDATE: the free space is smaller than the partition, and the web updater reserves space for the whole partition, even for a small compressed image. A gzip-compressed filesystem image is blocked if the free space or the partition size is unknown.',
  severity: 'error or warning',
  cores: 'device on 2.7.0 or later',
  evidence: ['ESP8266HTTPUpdateServer-impl.h UPLOAD_FILE_START', 'Updater.cpp begin'],
  check({ image, artifact, device }) {
    if (device === undefined || image.kind !== 'filesystem') return undefined;
    const { transport } = device.facts;
    if (transport === 'espota' || transport === 'http' || stagesFilesystems(device) === false) return undefined;
    const free = freeBytes(device);
    const partition = partitionBytes(device);
    // espota and HTTP stage only the bytes sent.
    const fix = useTransport('espota', 'http');
    if (free === undefined || partition === undefined) {
      if (artifact.encoding !== 'gzip') return undefined;
      return error(
        'the free space or the partition size of the device is unknown, and the web updater reserves space for the whole partition',
        fix,
        specify('sketchSizeBytes', 'fsStart', 'fsEnd'),
      );
    }
    if (partition <= free) return undefined;
    const stages = stagesFilesystems(device);
    const condition = stages === undefined ? 'if the running sketch was built with ATOMIC_FS_UPDATE, ' : '';
    const message = `${condition}the web updater needs the whole partition of ${partition} bytes as free space, but ${free} are free: it would reject the update with ERROR 4`;
    return transport === 'web' && stages === true ? error(message, fix) : warning(message, fix);
  },
} as const satisfies Rule;
