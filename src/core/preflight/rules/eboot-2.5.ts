import { advice, type Rule } from '../rule.ts';

export const eboot25 = {
  id: 'eboot-2.5',
  condition:
    'The device has the eboot of core 2.5.x, and updates through it were reported to fail. A host cannot detect which devices are affected.',
  severity: 'warning',
  cores: 'device on 2.5.0-2.5.2',
  evidence: ['esp8266/Arduino#8264'],
  check({ image, device }) {
    if (image.kind !== 'sketch' || device?.release?.startsWith('2.5.') !== true) return undefined;
    return advice(
      `the device runs core ${device.facts.core}, and updates through its eboot were reported to fail`,
      'update one device within reach first',
    );
  },
} as const satisfies Rule;
