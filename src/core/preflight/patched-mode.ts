import { flashModes } from '../firmware/flash-header.ts';
import type { FlashMode } from '../model/artifact.ts';
import type { Context } from './rule.ts';

/**
 * What the Updater makes of byte 2 (`_writeBuffer` in Updater.cpp): of a raw sketch it becomes the device's flash mode, of a gzip it
 * never does; cores 2.4.2 to 2.6.2 put it even into filesystems.
 *
 * - untouched: it stays what it is;
 * - kept: the device's own mode is what it is already;
 * - changed: it becomes another;
 * - unknown: the device's mode is not known.
 */
export type ModeByte = 'untouched' | 'kept' | 'changed' | 'unknown';

export function modeByteOf({ image, artifact, device }: Context): ModeByte {
  if (device === undefined || artifact.encoding === 'gzip') return 'untouched';
  const habit = device.habits?.patchesFlashMode ?? 'sketch';
  if (habit === 'never' || (image.kind !== 'sketch' && habit !== 'always')) return 'untouched';
  const { flashMode } = device.facts;
  if (flashMode === undefined) return 'unknown';
  const byte = image.kind === 'sketch' ? modeNumber(image.flashMode) : image.filesystem?.modeByte;
  return byte === modeNumber(flashMode) ? 'kept' : 'changed';
}

/** An image whose byte 2 is none of the core's modes differs from every device. */
function modeNumber(mode: FlashMode | undefined): number {
  return mode === undefined ? -1 : flashModes.indexOf(mode);
}
