import { stagesFilesystems } from '../device.ts';
import { advice, error, type Rule } from '../rule.ts';
import { verificationRules } from '../verification-rules.ts';
import { fsWebOld } from './fs-web-old.ts';

export const fsOverwrittenThenRejected = {
  id: 'fs-overwritten-then-rejected',
  condition:
    'A filesystem image for a device without ATOMIC_FS_UPDATE: the device overwrites the current filesystem before it checks the new one. Error if another rule predicts a rejection, otherwise a warning.',
  severity: 'error or warning',
  cores: 'all, without ATOMIC_FS_UPDATE',
  evidence: ['esp8266/Arduino#7950', 'Updater.cpp begin, end'],
  check({ image, device, errors }) {
    if (device === undefined || image.kind !== 'filesystem' || stagesFilesystems(device) === true) return undefined;
    // An old web updater does not write the filesystem to its partition.
    if (errors.includes(fsWebOld.id)) return undefined;
    const rejection = errors.find((rule) => verificationRules.includes(rule));
    if (rejection !== undefined) {
      return error(
        `the current filesystem would be overwritten before the device rejects the new one (${rejection})`,
        { action: 'fix-rule', rule: rejection },
        {
          action: 'update-first',
          core: device.capabilities?.atomicFilesystem === true ? undefined : '2.6.3',
          atomicFs: true,
        },
      );
    }
    return advice(
      stagesFilesystems(device) === undefined
        ? 'unless the running sketch was built with ATOMIC_FS_UPDATE, the filesystem is overwritten in place: the current files are lost even if the transfer is interrupted'
        : 'the filesystem is overwritten in place: the current files are lost even if the transfer is interrupted',
      'back up the files on the device, or build its sketch with ATOMIC_FS_UPDATE',
    );
  },
} as const satisfies Rule;
