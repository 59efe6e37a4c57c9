import { type Rule, warn } from '../rule.ts';

export const eboot25 = {
  id: 'eboot-2.5',
  condition:
    'a device whose eboot is that of 2.5.x, after which updates were reported to fail; no host can tell which ones',
  severity: 'warn',
  cores: 'device on 2.5.0-2.5.2',
  evidence: ['esp8266/Arduino#8264'],
  check({ image, device }) {
    const core = device?.facts.core;
    if (image.kind !== 'sketch' || core === undefined || !core.startsWith('2.5.')) return undefined;
    return warn(
      `the device runs core ${core}, whose eboot was reported to fail after updates`,
      'try one device within reach first',
    );
  },
} as const satisfies Rule;
