import { hasFilesystem } from '../device.ts';
import { type Rule, refuse, warn } from '../rule.ts';

export const fsMoved = {
  id: 'fs-moved',
  condition:
    'a sketch with another flash layout, in which the filesystem starts elsewhere: its data is lost. Only its end moves, or the layout of the image is not known: a warning',
  severity: 'refuse or warn',
  cores: 'all',
  evidence: ['tools/sdk/ld/eagle.flash.*.ld _FS_start, _FS_end', 'esp8266/Arduino#6531'],
  check({ image, device }) {
    if (device === undefined || image.kind !== 'sketch') return undefined;
    const { fsStart, fsEnd } = device.facts;
    if (fsStart === undefined || hasFilesystem(device) === false) return undefined;
    if (image.layout === undefined) {
      if (fsEnd === undefined) return undefined;
      return warn(
        `it is not known whether the filesystem stays at ${fsStart} under the new sketch`,
        'pack the image with its ELF beside it, which tells',
      );
    }
    const instead = 'build with the flash layout that the device has, or save what its filesystem holds first';
    if (image.layout.fsStart !== fsStart) {
      return refuse(
        `the new sketch looks for its filesystem at ${image.layout.fsStart}, and the device has it at ${fsStart}: what is stored there is lost`,
        instead,
      );
    }
    if (fsEnd === undefined || image.layout.fsEnd === fsEnd) return undefined;
    return warn(
      `the filesystem ends at ${image.layout.fsEnd} under the new sketch, and at ${fsEnd} now: it may not be mounted`,
      instead,
    );
  },
} as const satisfies Rule;
