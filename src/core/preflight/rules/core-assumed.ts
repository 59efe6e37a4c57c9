import { readCoreName } from '../../model/core-name.ts';
import { advice, type Rule } from '../rule.ts';

export const coreAssumed = {
  id: 'core-assumed',
  condition:
    'The core of the device is not a core release in the tables of ota-hooks, but is based on one (`2.7.4.9`) or newer than all of them. The update is checked as for the nearest earlier release.',
  severity: 'warning',
  cores: 'device with a core of another vendor, or newer than 3.1.2',
  evidence: ['tasmota/Arduino 2.7.4.9', 'src/core/model/core-versions.ts'],
  check({ device }) {
    const core = device?.facts.core;
    const name = core === undefined ? undefined : readCoreName(core);
    if (name?.isAssumed !== true || name.release === undefined) return undefined;
    return core?.includes(`${name.release}.`)
      ? advice(
          `core ${core} is based on ${name.release} and is treated as this release`,
          'check that the core did not change how updates are installed',
        )
      : advice(
          `core ${core} is newer than all releases in the tables of ota-hooks and is treated as the newest of these releases`,
          'update ota-hooks',
        );
  },
} as const satisfies Rule;
