import { roundUpToSector } from '../../device-model/flash.ts';
import { sendForm, specify } from '../fixes.ts';
import { error, type Rule } from '../rule.ts';

export const inflateOverFs = {
  id: 'inflate-over-fs',
  condition:
    'A gzip-compressed sketch inflates beyond the start of the filesystem, or the start of the filesystem is unknown.',
  severity: 'error',
  cores: 'device on 2.7.0 or later',
  evidence: ['eboot.c copy_raw: its output is not limited', 'Updater.cpp begin: only the compressed size is known'],
  check({ image, artifact, device }) {
    if (artifact.encoding !== 'gzip' || image.kind === 'filesystem') return undefined;
    const tooLarge = image.findings.find(({ id }) => id === 'gzip-too-large');
    if (tooLarge !== undefined) return error(tooLarge.message, { action: 'build' });
    if (device === undefined) return undefined;
    const { fsStart } = device.facts;
    if (fsStart === undefined) {
      return error(
        'the start of the filesystem on the device is unknown: the inflated sketch might overwrite it',
        sendForm('raw'),
        specify('fsStart'),
      );
    }
    const excess = roundUpToSector(artifact.inflate?.sizeBytes ?? 0) - fsStart;
    if (excess <= 0) return undefined;
    return error(
      `the sketch inflates to ${artifact.inflate?.sizeBytes} bytes, but the device's filesystem starts at ${fsStart}: ${excess} bytes of the filesystem would be overwritten`,
      { action: 'build', mostBytes: fsStart },
    );
  },
} as const satisfies Rule;
