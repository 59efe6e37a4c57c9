import { specify } from '../fixes.ts';
import { unpatchedModeFinding } from '../patched-mode.ts';
import { type Rule, warning } from '../rule.ts';

export const flashModeRawOld = {
  id: 'flash-mode-raw-old',
  condition:
    "The flash mode of a raw sketch is faster than the device's, or uses different data lines, and the core of the device does not patch the mode. Warning if the mode is slower, if the flash mode of the device is unknown, or if both modes are known and differ but the core is unknown.",
  severity: 'error or warning',
  cores: 'device before 2.4.2',
  evidence: ['letscontrolit/ESPEasy#474', 'Updater.cpp _writeBuffer'],
  check({ image, artifact, device }) {
    if (device === undefined || artifact.encoding === 'gzip' || image.kind !== 'sketch') return undefined;
    const { flashMode, core } = device.facts;
    if (device.capabilities !== undefined && device.capabilities.patchesFlashMode !== 'never') return undefined;
    if (device.capabilities === undefined) {
      if (flashMode === undefined || image.flashMode === undefined || image.flashMode === flashMode) return undefined;
      return warning(
        `the image has flash mode ${image.flashMode}, the device runs in ${flashMode}, and its core is unknown: a core before 2.4.2 would not patch the image`,
        specify('core'),
        { action: 'build', flashMode },
      );
    }
    if (flashMode === undefined && image.flashMode !== 'dout') {
      return warning(
        `the flash mode of the device is unknown, and core ${core} would not patch the image, which has flash mode ${image.flashMode ?? 'unknown'}`,
        specify('flashMode'),
        // Every chip supports dout.
        { action: 'build', flashMode: 'dout' },
      );
    }
    return flashMode && unpatchedModeFinding(image, flashMode);
  },
} as const satisfies Rule;
