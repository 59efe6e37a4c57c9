import { error, type Rule, warning } from '../rule.ts';

export const otherProject = {
  id: 'other-project',
  condition:
    'The image and the device differ in project or board. Warning if the image does not specify its project or board.',
  severity: 'error or warning',
  cores: 'all',
  evidence: ['Updater.cpp end: a signature binds neither product nor board'],
  check({ release, device }) {
    if (device === undefined) return undefined;
    const { project, board } = device.facts;
    for (const what of ['project', 'board'] as const) {
      const there = device.facts[what];
      const here = release[what];
      if (there === undefined || here === there) continue;
      if (here === undefined) {
        return warning(`the ${what} of the device is ${there}, but the image does not specify its ${what}`, {
          action: 'build',
          project,
          board,
        });
      }
      return error(`the image is for ${what} ${here}, but the ${what} of the device is ${there}`, {
        action: 'build',
        project,
        board,
      });
    }
    return undefined;
  },
} as const satisfies Rule;
