import { concernsSigning } from '../expected-key.ts';
import { type Rule, refuse, warn } from '../rule.ts';

export const enforcementUnproven = {
  id: 'enforcement-unproven',
  condition:
    'the key is in the sketch, but nothing shows that the Updater uses it. An ELF without the verifier: refused. No ELF: a warning, but refused when it is published',
  severity: 'refuse or warn',
  cores: 'any',
  evidence: ['arduino/arduino-cli#2382', 'Updater.cpp constructor', 'BearSSLHelpers.cpp'],
  check(context) {
    const { release, image, publishing } = context;
    if (image.kind !== 'sketch' || release.embeddedKeys.length === 0 || !concernsSigning(context)) return undefined;
    if (release.enforcement === 'disproved') {
      return refuse(
        'the ELF shows that the Updater does not use the key: a device that runs the image accepts updates from anybody',
        'build with `ota-hooks build`, which salts the core cache, or clean it (`arduino-cli cache clean`)',
      );
    }
    if (release.enforcement !== 'unproven') return undefined;
    const message = 'the image holds a public key, but nothing shows that the Updater verifies with it';
    const instead =
      'pack it with its ELF beside it (--elf), or declare it in ota.config.json: "enforcement": "declared"';
    return publishing ? refuse(message, instead) : warn(message, instead);
  },
} as const satisfies Rule;
