import test from 'ava';
import { embeddedKeyMissing as rule } from '../../../../src/core/preflight/rules/embedded-key-missing.ts';
import { isSilent, ours, refuses, sound } from '../case.ts';

const withoutKey = { embeddedKeys: [] };

test('a signed sketch without a key in it is refused, with a device and without one', (t) => {
  refuses(t, rule, { release: withoutKey }, /no public key/);
  refuses(t, rule, { release: withoutKey, facts: null }, /no public key/);
});

test('an unsigned one is refused where the project has a key, or the device verifies', (t) => {
  const signing = { publicKey: { fingerprint: ours, bits: 2048 } };
  refuses(t, rule, { artifact: sound.raw, release: { ...withoutKey, signing }, facts: null }, /no public key/);
  refuses(t, rule, { artifact: sound.raw, release: withoutKey }, /no public key/);
});

test('the neighbors pass: a key in it, no signing anywhere, a filesystem', (t) => {
  isSilent(t, rule);
  isSilent(t, rule, { artifact: sound.raw, release: withoutKey, facts: { signing: 'none' } });
  isSilent(t, rule, { artifact: sound.raw, release: withoutKey, facts: null });
  isSilent(t, rule, { artifact: sound.fsRawSigned });
});
