import { roundUpToSector } from '../../device-model/flash.ts';
import { type Rule, refuse } from '../rule.ts';

export const inflateOverFs = {
  id: 'inflate-over-fs',
  condition: 'gzip of a sketch that inflates beyond the start of the filesystem, or where that start is not known',
  severity: 'refuse',
  cores: 'device on 2.7.0 or later',
  evidence: ['eboot.c copy_raw: nothing bounds what it writes', 'Updater.cpp begin: only the compressed size is known'],
  check({ image, artifact, device }) {
    if (artifact.encoding !== 'gzip' || image.kind === 'filesystem') return undefined;
    const tooLarge = image.findings.find(({ id }) => id === 'gzip-too-large');
    if (tooLarge !== undefined) return refuse(tooLarge.message, 'send what the build made');
    if (device === undefined) return undefined;
    const { fsStart } = device.facts;
    if (fsStart === undefined) {
      return refuse(
        'it is not known where the filesystem of the device starts, so nothing says that the inflated sketch ends before it',
        'send the raw artifact, or name the flash layout with --fs-start',
      );
    }
    const excess = roundUpToSector(artifact.inflate?.sizeBytes ?? 0) - fsStart;
    if (excess <= 0) return undefined;
    return refuse(
      `the sketch inflates to ${artifact.inflate?.sizeBytes} bytes, and the filesystem of the device starts at ${fsStart}: ${excess} bytes of it would be overwritten`,
      'use a flash layout with a smaller filesystem, which needs a cable once, or make the sketch smaller',
    );
  },
} as const satisfies Rule;
