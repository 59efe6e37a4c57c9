import { error, type Rule } from '../rule.ts';

export const flashModeGz = {
  id: 'flash-mode-gz',
  condition:
    "The flash mode of a gzip-compressed sketch differs from the device's. The Updater does not patch the mode in compressed data (before core 2.4.2, it never patches the mode), so the device does not boot if its chip or wiring does not support the other mode. Every gzip-compressed sketch is blocked if the flash mode of the device is unknown.",
  severity: 'error',
  cores: 'device on 2.7.0 or later; raw sketches before 2.4.2',
  evidence: ['esp8266/Arduino#4876', 'esp8266/Arduino#7307', 'Updater.cpp _writeBuffer'],
  check({ image, artifact, device }) {
    if (device === undefined) return undefined;
    const { flashMode } = device.facts;
    const isGzip = artifact.encoding === 'gzip';
    if (isGzip && flashMode === undefined) {
      return error(
        'the flash mode of the device is unknown, and a compressed sketch with a different flash mode may not boot',
        'send the raw artifact, into which the device writes its own mode, or specify the mode of the device (--flash-mode)',
      );
    }
    if (image.kind !== 'sketch' || flashMode === undefined || image.flashMode === flashMode) return undefined;
    const isPatched = device.capabilities?.patchesFlashMode !== 'never';
    if (!isGzip && isPatched) return undefined;
    const message = `the image has flash mode ${image.flashMode ?? 'unknown'}, but the device's mode is ${flashMode}, and the Updater would not patch the image`;
    return isGzip
      ? error(message, `send the raw artifact, into which the device writes its own mode, or build for ${flashMode}`)
      : error(message, `build for ${flashMode}`);
  },
} as const satisfies Rule;
