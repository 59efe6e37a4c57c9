import { type Rule, refuse } from '../rule.ts';

export const gzOldDevice = {
  id: 'gz-old-device',
  condition: 'gzip to a device whose core does not know it, or is not known',
  severity: 'refuse',
  cores: 'device before 2.7.0',
  evidence: [
    'esp8266/Arduino#6820',
    'Updater.cpp _verifyHeader',
    'eboot.c copy_raw',
    'ota_updates/readme.rst "Compression"',
  ],
  check({ artifact, device }) {
    if (device === undefined || artifact.encoding !== 'gzip' || device.habits?.gzip === true) return undefined;
    const { core } = device.facts;
    return device.habits === undefined
      ? refuse(
          `${core === undefined ? "the device's core is not known" : `the device's core is ${core}, which is no known release`}, and gzip goes only to devices on core 2.7.0 or later`,
          'send the raw artifact; the core of what it then runs is known',
        )
      : refuse(
          `core ${core} knows no gzip, only 2.7.0 and later do`,
          'two hops: a raw artifact of a sketch built with core 2.7.0 or later first, gzip from then on',
        );
  },
} as const satisfies Rule;
