import { sendForm, specify } from '../fixes.ts';
import { unpatchedModeFinding } from '../patched-mode.ts';
import { error, type Rule } from '../rule.ts';

export const flashModeGz = {
  id: 'flash-mode-gz',
  condition:
    "The flash mode of a gzip-compressed sketch is faster than the device's, or uses different data lines. The Updater does not patch the mode in compressed data, so the device does not boot if its chip or wiring does not support the mode. Warning if the mode is slower, which works on every chip: dout < dio < qio and dout < qout < qio. Every gzip-compressed artifact is blocked if the flash mode of the device is unknown.",
  severity: 'error or warning',
  cores: 'device on 2.7.0 or later',
  evidence: ['esp8266/Arduino#4876', 'esp8266/Arduino#7307', 'Updater.cpp _writeBuffer'],
  check({ image, artifact, device }) {
    if (device === undefined || artifact.encoding !== 'gzip') return undefined;
    const { flashMode } = device.facts;
    if (flashMode === undefined) {
      return error(
        'the flash mode of the device is unknown, and a compressed sketch with a different flash mode may not boot',
        // The device writes its own mode into a raw sketch.
        sendForm('raw'),
        specify('flashMode'),
      );
    }
    return unpatchedModeFinding(image, flashMode, sendForm('raw'));
  },
} as const satisfies Rule;
