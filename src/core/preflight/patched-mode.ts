import { flashModes } from '../firmware/flash-header.ts';
import type { FlashMode } from '../model/artifact.ts';
import type { Context } from './rule.ts';

/**
 * Effect of the Updater on byte 2 (`_writeBuffer` in Updater.cpp). The Updater writes the device's flash mode into an uncompressed sketch,
 * but never into gzip data. Cores 2.4.2 to 2.6.2 also write the flash mode into filesystem images.
 *
 * - untouched: the Updater does not write the byte;
 * - kept: the byte already equals the device's flash mode;
 * - changed: the byte changes to the device's flash mode;
 * - unknown: the device's flash mode is unknown.
 */
export type ModeByte = 'untouched' | 'kept' | 'changed' | 'unknown';

export function modeByteOf({ image, artifact, device }: Context): ModeByte {
  if (device === undefined || artifact.encoding === 'gzip') return 'untouched';
  const capability = device.capabilities?.patchesFlashMode ?? 'sketch';
  if (capability === 'never' || (image.kind !== 'sketch' && capability !== 'always')) return 'untouched';
  const { flashMode } = device.facts;
  if (flashMode === undefined) return 'unknown';
  const byte = image.kind === 'sketch' ? modeNumber(image.flashMode) : image.filesystem?.modeByte;
  return byte === modeNumber(flashMode) ? 'kept' : 'changed';
}

/** Returns byte 2 for a flash mode. If the image's flash mode is unknown, returns -1, which matches no device. */
function modeNumber(mode: FlashMode | undefined): number {
  return mode === undefined ? -1 : flashModes.indexOf(mode);
}
