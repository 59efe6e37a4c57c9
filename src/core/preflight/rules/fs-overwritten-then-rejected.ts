import { stagesFilesystems } from '../device.ts';
import { type Rule, refuse, warn } from '../rule.ts';
import { flashModeSigned } from './flash-mode-signed.ts';
import { formatBoundary } from './format-boundary.ts';
import { gzSignedUnaligned } from './gz-signed-unaligned.ts';
import { unsignedToSigned } from './unsigned-to-signed.ts';
import { wrongKey } from './wrong-key.ts';

/** Rules that speak of a rejection at the end, when all has been written. */
const rejections: readonly string[] = [
  unsignedToSigned,
  wrongKey,
  formatBoundary,
  gzSignedUnaligned,
  flashModeSigned,
].map(({ id }) => id);

export const fsOverwrittenThenRejected = {
  id: 'fs-overwritten-then-rejected',
  condition:
    'a filesystem to a device without ATOMIC_FS_UPDATE, which writes it in place before it checks it: a warning, and refused when another rule predicts the rejection',
  severity: 'refuse or warn',
  cores: 'all, without ATOMIC_FS_UPDATE',
  evidence: ['esp8266/Arduino#7950', 'Updater.cpp begin, end'],
  check({ image, device, refused }) {
    if (device === undefined || image.kind !== 'filesystem' || stagesFilesystems(device) === true) return undefined;
    const rejection = refused.find((rule) => rejections.includes(rule));
    if (rejection !== undefined) {
      return refuse(
        `the present filesystem would be overwritten before the device rejects the new one (${rejection})`,
        `mend what ${rejection} says, or build the sketch with ATOMIC_FS_UPDATE`,
      );
    }
    return warn(
      'the filesystem is written in place: what is there now is lost even if the transfer breaks off',
      'keep a copy of what the device has stored, or build its sketch with ATOMIC_FS_UPDATE',
    );
  },
} as const satisfies Rule;
