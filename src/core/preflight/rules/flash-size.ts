import { type Rule, refuse, warn } from '../rule.ts';

export const flashSize = {
  id: 'flash-size',
  condition:
    "a sketch for a larger flash than the device's chip: ERROR 9 (HTTP: -107) when it is raw; gzip is accepted, and then every later update fails with ERROR 8. Any gzip where the chip is not known; an image that does not say: a warning",
  severity: 'refuse or warn',
  cores: 'all, but sketches with FLASH_MAP_SUPPORT',
  evidence: ['esp8266/Arduino#827', 'Updater.cpp begin, _verifyEnd', 'ESP8266httpUpdate.cpp handleUpdate'],
  check({ image, artifact, device }) {
    if (device === undefined) return undefined;
    const { chipSizeBytes, transport } = device.facts;
    const isGzip = artifact.encoding === 'gzip';
    if (isGzip && chipSizeBytes === undefined) {
      return refuse(
        "the size of the device's flash chip is not known, and gzip goes only to devices of which it is",
        'send the raw artifact, which the device checks itself, or name the size with --chip-size',
      );
    }
    if (image.kind !== 'sketch') return undefined;
    const { flashSizeBytes } = image;
    if (flashSizeBytes === undefined) {
      return warn('the image says a flash size that the core does not know', 'build for the flash size of the device');
    }
    if (chipSizeBytes === undefined || flashSizeBytes <= chipSizeBytes) return undefined;
    const message = `the image is for ${flashSizeBytes} bytes of flash, and the chip has ${chipSizeBytes}`;
    const instead = 'build for the flash size of the device';
    if (isGzip) {
      return refuse(`${message}: the device would take the gzip, and refuse every later update with ERROR 8`, instead);
    }
    return refuse(`${message}: the device would answer ${transport === 'http' ? '-107' : 'ERROR 9'}`, instead);
  },
} as const satisfies Rule;
