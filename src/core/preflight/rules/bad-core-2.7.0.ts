import { advice, error, type Rule } from '../rule.ts';

export const badCore270 = {
  id: 'bad-core-2.7.0',
  condition:
    'The image was built with core 2.7.0, whose eboot hangs on XMC flash. Warning if the device runs core 2.7.0.',
  severity: 'error or warning',
  cores: 'image or device on 2.7.0',
  evidence: ['esp8266/Arduino#7267', 'esp8266/Arduino#7277', 'platformio/platform-espressif8266#209', 'eboot.c main'],
  check({ image, device }) {
    if (image.core === '2.7.0') {
      return error(
        'the image contains the eboot of core 2.7.0, which hangs on XMC flash at the update after this one',
        { action: 'build', core: '2.7.3' },
      );
    }
    if (device?.capabilities?.hangsOnXmcFlash !== true) return undefined;
    return advice(
      'the device runs core 2.7.0, whose eboot hangs on an XMC flash chip: recovery needs a serial cable',
      'update one device within reach first',
    );
  },
} as const satisfies Rule;
