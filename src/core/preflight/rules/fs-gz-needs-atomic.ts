import { stagesFilesystems } from '../device.ts';
import { sendForm, specify } from '../fixes.ts';
import { error, type Rule } from '../rule.ts';

export const fsGzNeedsAtomic = {
  id: 'fs-gz-needs-atomic',
  condition:
    'A gzip-compressed filesystem image, unless the running sketch is known to be built with ATOMIC_FS_UPDATE: without this option, the compressed data itself becomes the filesystem.',
  severity: 'error',
  cores: 'all',
  evidence: ['Updater.cpp begin, end', 'ota_updates/readme.rst "Compression"'],
  check({ image, artifact, device }) {
    if (device === undefined || artifact.encoding !== 'gzip' || image.kind !== 'filesystem') return undefined;
    const stages = stagesFilesystems(device);
    if (stages === true) return undefined;
    // ATOMIC_FS_UPDATE needs core 2.6.0, and gzip needs core 2.7.0, whose eboot can hang until 2.7.3.
    const core = device.capabilities?.gzip === true ? undefined : '2.7.3';
    const missing = (['core', 'atomicFs'] as const).filter((fact) => device.facts[fact] === undefined);
    return error(
      stages === false
        ? 'the device writes filesystem images in place: the compressed data itself would become the filesystem'
        : 'it is unknown whether the device was built with ATOMIC_FS_UPDATE: without this option, the compressed data itself would become the filesystem',
      sendForm('raw'),
      ...(stages === undefined && missing.length > 0 ? [specify(...missing)] : []),
      { action: 'update-first', core, atomicFs: true },
    );
  },
} as const satisfies Rule;
