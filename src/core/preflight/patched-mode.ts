import { bootsUnpatched, flashModes } from '../firmware/flash-header.ts';
import type { FlashMode } from '../model/artifact.ts';
import type { PreflightFix } from '../model/preflight-fix.ts';
import type { ReleaseImage } from './release.ts';
import { type Context, error, type RuleFinding, warning } from './rule.ts';

/**
 * Effect of the Updater on byte 2 (`_writeBuffer` in Updater.cpp). The Updater writes the device's flash mode into an uncompressed sketch,
 * but never into gzip data. Cores 2.4.2 to 2.6.2 also write the flash mode into filesystem images.
 *
 * - untouched: the Updater does not write the byte;
 * - kept: the byte already equals the device's flash mode;
 * - changed: the byte changes to the device's flash mode;
 * - perhaps-changed: the byte of a filesystem differs from the device's flash mode, and the core is unknown;
 * - unknown: the device's flash mode is unknown.
 */
export type ModeByte = 'untouched' | 'kept' | 'changed' | 'perhaps-changed' | 'unknown';

export function modeByteOf({ image, artifact, device }: Context): ModeByte {
  if (device === undefined || artifact.encoding === 'gzip') return 'untouched';
  const capability = device.capabilities?.patchesFlashMode;
  const { flashMode } = device.facts;
  const isSketch = image.kind === 'sketch';
  if (capability === 'never' || (capability === 'sketch' && !isSketch)) return 'untouched';
  if (flashMode === undefined) return capability === undefined && !isSketch ? 'untouched' : 'unknown';
  const byte = isSketch ? modeNumber(image.flashMode) : image.filesystem?.modeByte;
  if (byte === modeNumber(flashMode)) return 'kept';
  return capability === undefined && !isSketch ? 'perhaps-changed' : 'changed';
}

/**
 * Checks a sketch into which the device does not write its own flash mode.
 *
 * @param keepingMode fix that sends an artifact which keeps the flash mode of the device
 */
export function unpatchedModeFinding(
  image: ReleaseImage,
  deviceMode: FlashMode,
  ...keepingMode: readonly PreflightFix[]
): RuleFinding | undefined {
  const { kind, flashMode } = image;
  if (kind !== 'sketch' || flashMode === deviceMode) return undefined;
  const fixes = [...keepingMode, { action: 'build', flashMode: deviceMode }] as const;
  if (flashMode !== undefined && bootsUnpatched(flashMode, deviceMode)) {
    return warning(
      `after the update, the device runs in flash mode ${flashMode} instead of ${deviceMode}: it boots, but reads its flash more slowly`,
      ...fixes,
    );
  }
  return error(
    `the image has flash mode ${flashMode ?? 'unknown'}, but the device runs in ${deviceMode}, and the Updater would not patch the image`,
    ...fixes,
  );
}

/** Returns byte 2 for a flash mode. If the image's flash mode is unknown, returns -1, which matches no device. */
function modeNumber(mode: FlashMode | undefined): number {
  return mode === undefined ? -1 : flashModes.indexOf(mode);
}
