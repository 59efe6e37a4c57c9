import { stagesFilesystems } from '../device.ts';
import { artifactFix, error, type Rule } from '../rule.ts';

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
    return error(
      stages === false
        ? 'the device writes filesystem images in place: the compressed data itself would become the filesystem'
        : 'it is unknown whether the device was built with ATOMIC_FS_UPDATE: without this option, the compressed data itself would become the filesystem',
      artifactFix('raw', '', 'first send a sketch built with ATOMIC_FS_UPDATE'),
    );
  },
} as const satisfies Rule;
