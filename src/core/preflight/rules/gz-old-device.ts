import { sendForm, specify, updateToGzip } from '../fixes.ts';
import { error, type Rule } from '../rule.ts';

export const gzOldDevice = {
  id: 'gz-old-device',
  condition: 'A gzip-compressed artifact for a device whose core does not support gzip or is unknown.',
  severity: 'error',
  cores: 'device before 2.7.0',
  evidence: [
    'esp8266/Arduino#6820',
    'Updater.cpp _verifyHeader',
    'eboot.c copy_raw',
    'ota_updates/readme.rst "Compression"',
  ],
  check({ artifact, device }) {
    if (device === undefined || artifact.encoding !== 'gzip' || device.capabilities?.gzip === true) return undefined;
    const { core } = device.facts;
    return device.capabilities === undefined
      ? error(
          `${core === undefined ? 'the core of the device is unknown' : `the core of the device is ${core}, which is not a known release`}, and gzip needs core 2.7.0 or later`,
          sendForm('raw'),
          specify('core'),
        )
      : error(`core ${core} does not support gzip, which needs core 2.7.0 or later`, updateToGzip(artifact));
  },
} as const satisfies Rule;
