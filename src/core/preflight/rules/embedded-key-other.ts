import { expectedKey } from '../expected-key.ts';
import { type Rule, refuse } from '../rule.ts';

export const embeddedKeyOther = {
  id: 'embedded-key-other',
  condition:
    'the sketch holds public keys, but not the one that updates are signed with: the owner is locked out after this update. A key rotation is declared by allowing this rule',
  severity: 'refuse',
  cores: 'any',
  evidence: ['Updater.cpp end', 'BearSSLHelpers.cpp'],
  check(context) {
    const { release, image } = context;
    const expected = expectedKey(context);
    if (image.kind !== 'sketch' || expected === undefined || release.embeddedKeys.length === 0) return undefined;
    if (release.embeddedKeys.includes(expected)) return undefined;
    const held = release.embeddedKeys.map((key) => `${key.slice(0, 16)}…`).join(', ');
    return refuse(
      `the image holds key ${held}, but updates are signed with ${expected.slice(0, 16)}…: a device that runs it would refuse them`,
      'build with the public key of the key that signs, or allow this rule where the key is meant to change',
    );
  },
} as const satisfies Rule;
