import { advice, type Rule } from '../rule.ts';

export const noOta = {
  id: 'no-ota',
  condition: 'The new sketch contains no trace of the Updater: this may be the last update over the air.',
  severity: 'warning',
  cores: 'all',
  evidence: ['Updater.cpp getErrorString: "Not Enough Space" since 2.4.2'],
  check({ image }) {
    // A sketch that never prints Updater errors does not contain the Updater's error messages.
    const isUpdatable = image.traces === undefined || image.traces.updater || image.symbols?.updater === true;
    if (image.kind !== 'sketch' || isUpdatable) return undefined;
    return advice(
      'the sketch contains no trace of the Updater: this may be the last update over the air',
      'use ArduinoOTA, ESP8266httpUpdate or ESP8266HTTPUpdateServer in the sketch',
    );
  },
} as const satisfies Rule;
