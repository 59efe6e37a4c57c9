import { type Rule, refuse } from '../rule.ts';

export const flashModeGz = {
  id: 'flash-mode-gz',
  condition:
    "gzip of a sketch whose flash mode is not the device's, which is not patched in a gzip (and, before 2.4.2, in nothing): the device is dead where its chip or wiring cannot do the other mode. Any gzip where the device's mode is not known",
  severity: 'refuse',
  cores: 'device on 2.7.0 or later; raw sketches before 2.4.2',
  evidence: ['esp8266/Arduino#4876', 'esp8266/Arduino#7307', 'Updater.cpp _writeBuffer'],
  check({ image, artifact, device }) {
    if (device === undefined) return undefined;
    const { flashMode } = device.facts;
    const isGzip = artifact.encoding === 'gzip';
    if (isGzip && flashMode === undefined) {
      return refuse(
        "the device's flash mode is not known, and gzip goes only to devices of which it is",
        "send the raw artifact, into which the device puts its own mode, or name the device's with --flash-mode",
      );
    }
    if (image.kind !== 'sketch' || flashMode === undefined || image.flashMode === flashMode) return undefined;
    const isPatched = device.habits?.patchesFlashMode !== 'never';
    if (!isGzip && isPatched) return undefined;
    const message = `the image says flash mode ${image.flashMode ?? 'unknown'}, the device runs with ${flashMode}, and nothing would change it on the way`;
    return isGzip
      ? refuse(message, `send the raw artifact, into which the device puts its own mode, or build for ${flashMode}`)
      : refuse(message, `build for ${flashMode}`);
  },
} as const satisfies Rule;
