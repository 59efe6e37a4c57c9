import { error, type Rule, warning } from '../rule.ts';

export const flashSize = {
  id: 'flash-size',
  condition:
    "The sketch was built for a larger flash than the device's chip. Raw: the device rejects it with ERROR 9 (HTTP: -107). Gzip: the device accepts it, and every later update fails with ERROR 8. Every gzip-compressed image is blocked if the chip size is unknown. Warning if the flash size in the image header is unknown.",
  severity: 'error or warning',
  cores: 'all, except sketches with FLASH_MAP_SUPPORT',
  evidence: ['esp8266/Arduino#827', 'Updater.cpp begin, _verifyEnd', 'ESP8266httpUpdate.cpp handleUpdate'],
  check({ image, artifact, device }) {
    if (device === undefined) return undefined;
    const { chipSizeBytes, transport } = device.facts;
    const isGzip = artifact.encoding === 'gzip';
    if (isGzip && chipSizeBytes === undefined) {
      return error(
        'the flash chip size of the device is unknown, and the device does not check the flash size of a compressed image',
        'send the raw artifact, which the device checks itself, or specify the size (--chip-size)',
      );
    }
    if (image.kind !== 'sketch') return undefined;
    const { flashSizeBytes } = image;
    if (flashSizeBytes === undefined) {
      return warning(
        'the flash size in the image header is not a flash size of the ESP8266',
        "build for the device's flash size",
      );
    }
    if (chipSizeBytes === undefined || flashSizeBytes <= chipSizeBytes) return undefined;
    const message = `the image was built for ${flashSizeBytes} bytes of flash, but the chip has ${chipSizeBytes}`;
    const fix = "build for the device's flash size";
    if (isGzip) {
      return error(
        `${message}: the device would accept the compressed image and reject every later update with ERROR 8`,
        fix,
      );
    }
    return error(
      `${message}: the device would reject the update with ${transport === 'http' ? '-107' : 'ERROR 9'}`,
      fix,
    );
  },
} as const satisfies Rule;
