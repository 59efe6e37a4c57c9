import type { Encoding } from '../../model/artifact.ts';
import type { Device } from '../device.ts';
import { sendForm, specify } from '../fixes.ts';
import { advice, error, type Rule, type RuleFinding, warning } from '../rule.ts';

export const flashSize = {
  id: 'flash-size',
  condition:
    "The sketch was built for a larger flash than the device's chip. Raw: the device rejects it with ERROR 9 (HTTP: -107). Gzip: the device accepts it, and every later update fails with ERROR 8. Every gzip-compressed image is blocked if the chip size is unknown. Warning if the flash size in the image header is unknown. A sketch with FLASH_MAP_SUPPORT has the size 16 MB in its header and runs on every chip: a device without FLASH_MAP_SUPPORT rejects it raw, and accepts it gzip-compressed.",
  severity: 'error or warning',
  cores: 'all, except sketches with FLASH_MAP_SUPPORT',
  evidence: ['esp8266/Arduino#827', 'Updater.cpp begin, _verifyEnd', 'ESP8266httpUpdate.cpp handleUpdate'],
  check({ image, artifact, device }) {
    if (device === undefined) return undefined;
    const { chipSizeBytes } = device.facts;
    const isGzip = artifact.encoding === 'gzip';
    if (isGzip && chipSizeBytes === undefined) {
      return error(
        'the flash chip size of the device is unknown, and the device does not check the flash size of a compressed image',
        // The device checks the flash size of a raw image itself.
        sendForm('raw'),
        specify('chipSizeBytes'),
      );
    }
    if (image.kind !== 'sketch') return undefined;
    const { flashSizeBytes } = image;
    if (flashSizeBytes === undefined) {
      return advice(
        'the flash size in the image header is not a flash size of the ESP8266',
        "build for the device's flash size",
      );
    }
    if (chipSizeBytes === undefined || flashSizeBytes <= chipSizeBytes) return undefined;
    if (image.traces?.flashMap === true) return ofFlashMap(device, chipSizeBytes, artifact.encoding);
    const message = `the image was built for ${flashSizeBytes} bytes of flash, but the chip has ${chipSizeBytes}`;
    const fix = { action: 'build', flashSizeBytes: chipSizeBytes } as const;
    if (isGzip || device.capabilities?.checksHeader === false) {
      return error(`${message}: the device would accept the image and reject every later update with ERROR 8`, fix);
    }
    return error(`${message}: the device would reject the update with ${rejection(device)}`, fix);
  },
} as const satisfies Rule;

/** Checks a sketch that runs on a chip of any size, but whose header contains the largest size. */
function ofFlashMap(
  { facts, capabilities }: Device,
  chipSizeBytes: number,
  encoding: Encoding,
): RuleFinding | undefined {
  if (encoding === 'gzip' || capabilities?.checksHeader === false) return undefined;
  const isPlain = capabilities?.flashMap === false ? true : facts.flashMap === undefined ? undefined : !facts.flashMap;
  if (isPlain === false) return undefined;
  const message = `the image determines its flash size when it starts (FLASH_MAP_SUPPORT), and a device without this option rejects the raw image with ${rejection({ facts })}`;
  const fixes = [sendForm('gzip'), { action: 'build', flashSizeBytes: chipSizeBytes }] as const;
  return isPlain === true
    ? error(message, ...fixes)
    : warning(`${message}; whether the device has this option is unknown`, ...fixes);
}

function rejection({ facts }: Pick<Device, 'facts'>): string {
  return facts.transport === 'http' ? '-107' : 'ERROR 9';
}
