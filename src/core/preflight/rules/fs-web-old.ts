import { possibleTransports } from '../device.ts';
import { specify, useTransport } from '../fixes.ts';
import { error, type Rule, warning } from '../rule.ts';

export const fsWebOld = {
  id: 'fs-web-old',
  condition:
    'A filesystem image for the web updater of a core before 2.6.0, which treats every file as a sketch: the device rejects the image (ERROR 10 or 4), core 2.0.0 installs it as a sketch, and other data can be overwritten if little flash is free. Warning if the transport or the core of the device is unknown.',
  severity: 'error or warning',
  cores: 'device before 2.6.0',
  evidence: ['ESP8266HTTPUpdateServer.cpp setup', 'ESP8266HTTPUpdateServer-impl.h UPLOAD_FILE_START'],
  check({ image, device }) {
    if (device === undefined || image.kind !== 'filesystem' || device.capabilities?.filesystemOverWeb === true) {
      return undefined;
    }
    const transports = possibleTransports(device);
    if (!transports.includes('web')) return undefined;
    const fixes = [useTransport('espota', 'http'), { action: 'update-first', core: '2.6.3' }] as const;
    if (device.capabilities === undefined) {
      const [only] = transports.length === 1 ? transports : [];
      return only === undefined
        ? undefined
        : warning(
            'the core of the device is unknown: the web updater of a core before 2.6.0 would use the filesystem as a sketch',
            specify('core'),
          );
    }
    const message = `the web updater of core ${device.facts.core} treats every file as a sketch`;
    return transports.length === 1 ? error(message, ...fixes) : warning(`over the web updater: ${message}`, ...fixes);
  },
} as const satisfies Rule;
