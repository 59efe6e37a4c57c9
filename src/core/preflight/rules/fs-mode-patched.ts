import { specify } from '../fixes.ts';
import { modeByteOf } from '../patched-mode.ts';
import { error, type Rule, warning } from '../rule.ts';

export const fsModePatched = {
  id: 'fs-mode-patched',
  condition:
    "Byte 2 of a raw filesystem image differs from the device's flash mode: the Updater writes the flash mode there, as it does in a sketch. Warning if the flash mode or the core of the device is unknown.",
  severity: 'error or warning',
  cores: 'device on 2.4.2-2.6.2',
  evidence: ['esp8266/Arduino#6880', 'esp8266/Arduino#6891', 'Updater.cpp _writeBuffer'],
  check(context) {
    const { image, device } = context;
    if (device === undefined || image.kind !== 'filesystem') return undefined;
    // Core 2.6.3 does not change filesystem images.
    const fix = { action: 'update-first', core: '2.6.3' } as const;
    const present = image.filesystem?.modeByte ?? 'unknown';
    switch (modeByteOf(context)) {
      case 'changed':
        return error(
          `core ${device.facts.core} would overwrite byte 2 of the filesystem image (${present}) with the device's flash mode, ${device.facts.flashMode}`,
          fix,
        );
      case 'perhaps-changed':
        return warning(
          `byte 2 of the filesystem image (${present}) differs from the device's flash mode, ${device.facts.flashMode}, and the core of the device is unknown: cores 2.4.2 to 2.6.2 would overwrite the byte`,
          specify('core'),
        );
      case 'unknown':
        return warning(
          `core ${device.facts.core} overwrites byte 2 of a filesystem image with the device's flash mode, which is unknown`,
          fix,
        );
      default:
        return undefined;
    }
  },
} as const satisfies Rule;
