import { type Rule, warning } from '../rule.ts';

export const eboot25 = {
  id: 'eboot-2.5',
  condition:
    'The device has the eboot of core 2.5.x, and updates through it were reported to fail. A host cannot detect which devices are affected.',
  severity: 'warning',
  cores: 'device on 2.5.0-2.5.2',
  evidence: ['esp8266/Arduino#8264'],
  check({ image, device }) {
    const core = device?.facts.core;
    if (image.kind !== 'sketch' || core === undefined || !core.startsWith('2.5.')) return undefined;
    return warning(
      `the device runs core ${core}, and updates through its eboot were reported to fail`,
      'update one device within reach first',
    );
  },
} as const satisfies Rule;
