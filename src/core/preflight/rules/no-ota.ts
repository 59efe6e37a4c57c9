import { type Rule, warn } from '../rule.ts';

export const noOta = {
  id: 'no-ota',
  condition: 'the new sketch shows no trace of the Updater: this may be the last update over the air',
  severity: 'warn',
  cores: 'all',
  evidence: ['Updater.cpp getErrorString: "Not Enough Space" is there since 2.4.2'],
  check({ image }) {
    if (image.kind !== 'sketch' || image.traces === undefined || image.traces.updater) return undefined;
    return warn(
      'the sketch shows no trace of the Updater: after this update the device may take no other over the air',
      'let the sketch use ArduinoOTA, ESP8266httpUpdate or ESP8266HTTPUpdateServer',
    );
  },
} as const satisfies Rule;
