import { expectedKey } from '../expected-key.ts';
import { allow } from '../fixes.ts';
import { error, type Rule } from '../rule.ts';

export const embeddedKeyOther = {
  id: 'embedded-key-other',
  condition:
    'The sketch contains public keys, but not the key that updates are signed with: the owner is locked out after this update. Allow this rule for an intended key rotation.',
  severity: 'error',
  cores: 'any',
  evidence: ['Updater.cpp end', 'BearSSLHelpers.cpp'],
  check(context) {
    const { release, image } = context;
    const expected = expectedKey(context);
    if (image.kind !== 'sketch' || expected === undefined || release.embeddedKeys.length === 0) return undefined;
    if (release.embeddedKeys.includes(expected)) return undefined;
    const keys = release.embeddedKeys.map((key) => `${key.slice(0, 16)}…`);
    const held = `${keys.length === 1 ? 'key' : 'keys'} ${keys.join(', ')}`;
    return error(
      `the image contains ${held}, but updates are signed with ${expected.slice(0, 16)}…: a device with this image would reject these updates`,
      { action: 'embed-key', keyFingerprint: expected },
      allow('embedded-key-other'),
    );
  },
} as const satisfies Rule;
