import { concernsSigning, expectedKey } from '../expected-key.ts';
import { error, type Rule } from '../rule.ts';

export const embeddedKeyMissing = {
  id: 'embedded-key-missing',
  condition:
    'The sketch contains no public key, although the artifact is signed, the project has a key, or the device verifies signatures. After the update, the device accepts unsigned updates without a warning.',
  severity: 'error',
  cores: 'any',
  evidence: ['esp8266/Arduino#8659', 'BearSSLHelpers.cpp', 'Updater_Signing.h'],
  check(context) {
    const { release, image } = context;
    if (image.kind !== 'sketch' || release.embeddedKeys.length > 0 || !concernsSigning(context)) return undefined;
    return error('the image contains no public key: a device with this image accepts any update', {
      action: 'embed-key',
      keyFingerprint: expectedKey(context),
    });
  },
} as const satisfies Rule;
