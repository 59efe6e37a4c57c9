import { hasFilesystem } from '../device.ts';
import { allow } from '../fixes.ts';
import { advice, error, type Rule, warning } from '../rule.ts';

export const fsMoved = {
  id: 'fs-moved',
  condition:
    'The new sketch expects the filesystem at a different address: the stored data is lost. Warning if only the end moves, if the layout of the image is unknown, or if the ELF file shows that the sketch mounts no filesystem.',
  severity: 'error or warning',
  cores: 'all',
  evidence: ['tools/sdk/ld/eagle.flash.*.ld _FS_start, _FS_end', 'esp8266/Arduino#6531'],
  check({ image, device }) {
    if (device === undefined || image.kind !== 'sketch') return undefined;
    const { fsStart, fsEnd } = device.facts;
    if (fsStart === undefined || hasFilesystem(device) === false) return undefined;
    if (image.layout === undefined) {
      if (fsEnd === undefined) return undefined;
      return advice(
        `the flash layout of the new sketch is unknown: its filesystem may start at a different address than the device's filesystem, which starts at ${fsStart}`,
        'pack the image with its ELF file beside it, which contains the layout',
      );
    }
    const build = { action: 'build', fsStart, fsEnd } as const;
    if (image.layout.fsStart !== fsStart) {
      const message = `the filesystem of the new sketch starts at ${image.layout.fsStart}, but the device's filesystem starts at ${fsStart}`;
      return image.symbols?.filesystem === false
        ? warning(`${message}; the new sketch does not mount a filesystem, so it does not use the stored data`, build)
        : error(`${message}: the stored data would be lost`, build, allow('fs-moved'));
    }
    if (fsEnd === undefined || image.layout.fsEnd === fsEnd) return undefined;
    return warning(
      `the filesystem of the new sketch ends at ${image.layout.fsEnd}, but the device's filesystem ends at ${fsEnd}: it may fail to mount`,
      build,
    );
  },
} as const satisfies Rule;
