import { specify } from '../fixes.ts';
import { modeByteOf } from '../patched-mode.ts';
import { isSigned } from '../release.ts';
import { error, type Rule, warning } from '../rule.ts';

export const flashModeSigned = {
  id: 'flash-mode-signed',
  condition:
    "Byte 2 (the flash mode) of a raw signed image differs from the device's: the Updater writes the device's mode there before it verifies the bytes in flash. Warning if the mode, the signature check or, for a filesystem, the core of the device is unknown.",
  severity: 'error or warning',
  cores: 'device on 2.5.0 or later; up to 2.6.2 filesystem images too',
  evidence: ['Updater.cpp _writeBuffer, end', 'esp8266/Arduino#4877', 'esp8266/Arduino#6880'],
  check(context) {
    const { image, artifact, device } = context;
    if (device === undefined || !isSigned(artifact) || device.facts.signing === 'none') return undefined;
    // The guard puts the signed byte back before it computes the hash.
    if (device.facts.guard !== undefined && image.kind === 'sketch' && artifact.metadata !== undefined)
      return undefined;
    const byte = modeByteOf(context);
    if (byte === 'untouched' || byte === 'kept') return undefined;
    if (byte === 'perhaps-changed') {
      return warning(
        `byte 2 of the filesystem is ${image.filesystem?.modeByte ?? 'unknown'}, and the core of the device is unknown: cores 2.5.0 to 2.6.2 change the signed byte and reject the update with ERROR 12`,
        specify('core'),
      );
    }
    const present =
      image.kind === 'sketch'
        ? `the image has flash mode ${image.flashMode ?? 'unknown'}`
        : `byte 2 of the filesystem is ${image.filesystem?.modeByte ?? 'unknown'}`;
    const fix =
      image.kind === 'sketch'
        ? device.facts.flashMode === undefined
          ? specify('flashMode')
          : ({ action: 'build', flashMode: device.facts.flashMode } as const)
        : // Core 2.6.3 does not change filesystem images.
          ({ action: 'update-first', core: '2.6.3' } as const);
    if (byte === 'unknown') {
      const message = `${present}, and the flash mode of the device is unknown: if it differs, the device will reject the update with ERROR 12`;
      return image.kind === 'sketch' ? warning(message, fix) : undefined;
    }
    const message = `${present}, but the device's flash mode is ${device.facts.flashMode}, and the device overwrites the signed byte 2: it would reject the update with ERROR 12`;
    return device.facts.signing === 'required' ? error(message, fix) : warning(message, fix);
  },
} as const satisfies Rule;
