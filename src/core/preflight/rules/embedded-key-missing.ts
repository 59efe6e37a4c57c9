import { concernsSigning } from '../expected-key.ts';
import { type Rule, refuse } from '../rule.ts';

export const embeddedKeyMissing = {
  id: 'embedded-key-missing',
  condition:
    'a sketch that is signed, or goes to a device that verifies, and holds no key itself: the device silently stops checking',
  severity: 'refuse',
  cores: 'any',
  evidence: ['esp8266/Arduino#8659', 'BearSSLHelpers.cpp', 'Updater_Signing.h'],
  check(context) {
    const { release, image } = context;
    if (image.kind !== 'sketch' || release.embeddedKeys.length > 0 || !concernsSigning(context)) return undefined;
    return refuse(
      'the image holds no public key: a device that runs it accepts updates from anybody',
      'build with `ota-hooks build` or the PlatformIO hook, so that Updater_Signing.h reaches the compiler, and let the sketch use ESP8266WiFi',
    );
  },
} as const satisfies Rule;
