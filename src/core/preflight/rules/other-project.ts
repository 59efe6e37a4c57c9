import { type Rule, refuse, warn } from '../rule.ts';

export const otherProject = {
  id: 'other-project',
  condition: 'the project or the board is another than what runs; not known of the image: a warning',
  severity: 'refuse or warn',
  cores: 'all',
  evidence: ['Updater.cpp end: a signature binds neither product nor board'],
  check({ release, device }) {
    if (device === undefined) return undefined;
    for (const what of ['project', 'board'] as const) {
      const there = device.facts[what];
      const here = release[what];
      if (there === undefined || here === there) continue;
      if (here === undefined) {
        return warn(
          `the device's ${what} is ${there}, and nothing says which one the image is for`,
          `pack it with its ${what} in ota.config.json`,
        );
      }
      return refuse(
        `the image is for ${what} ${here}, the device is of ${what} ${there}`,
        `send what was built for ${there}`,
      );
    }
    return undefined;
  },
} as const satisfies Rule;
