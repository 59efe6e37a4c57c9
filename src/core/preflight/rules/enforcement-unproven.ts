import { concernsSigning } from '../expected-key.ts';
import { error, type Rule, warning } from '../rule.ts';

export const enforcementUnproven = {
  id: 'enforcement-unproven',
  condition:
    'The sketch contains a key, but nothing shows that the Updater verifies updates with the key. Error if the ELF file does not contain the verifier. Without an ELF file: a warning, or an error when the release is published.',
  severity: 'error or warning',
  cores: 'any',
  evidence: ['arduino/arduino-cli#2382', 'Updater.cpp constructor', 'BearSSLHelpers.cpp'],
  check(context) {
    const { release, image, publishing } = context;
    if (image.kind !== 'sketch' || release.embeddedKeys.length === 0 || !concernsSigning(context)) return undefined;
    if (release.enforcement === 'disproved') {
      return error(
        'the ELF file shows that the Updater does not use the key: a device with this image accepts any update',
        { action: 'prove', by: 'build' },
      );
    }
    if (release.enforcement !== 'unproven') return undefined;
    const message = 'the image contains a public key, but nothing shows that the Updater verifies updates with the key';
    const fix = { action: 'prove', by: 'elf' } as const;
    return publishing ? error(message, fix) : warning(message, fix);
  },
} as const satisfies Rule;
