import { modeByteOf } from '../patched-mode.ts';
import { isSigned } from '../release.ts';
import { type Rule, refuse, warn } from '../rule.ts';

export const flashModeSigned = {
  id: 'flash-mode-signed',
  condition:
    "a raw signed image whose byte 2 (the flash mode) is not the device's: the Updater puts the device's mode there before it verifies what is in flash. Unknown: a warning",
  severity: 'refuse or warn',
  cores: 'device on 2.5.0 or later; up to 2.6.2 filesystems too',
  evidence: ['Updater.cpp _writeBuffer, end', 'esp8266/Arduino#4877', 'esp8266/Arduino#6880'],
  check(context) {
    const { image, artifact, device } = context;
    if (device === undefined || !isSigned(artifact) || device.facts.signing === 'none') return undefined;
    const byte = modeByteOf(context);
    if (byte === 'untouched' || byte === 'kept') return undefined;
    const present =
      image.kind === 'sketch'
        ? `the image says flash mode ${image.flashMode ?? 'unknown'}`
        : `byte 2 of the filesystem is ${image.filesystem?.modeByte ?? 'unknown'}`;
    const instead =
      image.kind === 'sketch'
        ? `sign an image that was built for the device's flash mode${device.facts.flashMode === undefined ? '' : `, ${device.facts.flashMode}`}`
        : 'update the sketch to core 2.6.3 or later first, which leaves filesystems alone';
    if (byte === 'unknown') {
      const message = `${present}, and the device's is not known: if it is another, the device will answer ERROR 12`;
      return image.kind === 'sketch' ? warn(message, instead) : undefined;
    }
    const message = `${present}, the device runs with ${device.facts.flashMode}, which changes the signed byte 2: it would answer ERROR 12`;
    return device.facts.signing === 'required' ? refuse(message, instead) : warn(message, instead);
  },
} as const satisfies Rule;
