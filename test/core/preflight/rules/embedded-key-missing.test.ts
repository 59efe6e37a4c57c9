import test from 'ava';
import { embeddedKeyMissing as rule } from '../../../../src/core/preflight/rules/embedded-key-missing.ts';
import { blocks, isSilent, ours, sound } from '../case.ts';

const withoutKey = { embeddedKeys: [] };

test('blocks a signed sketch that contains no key, with and without a device', (t) => {
  blocks(t, rule, { release: withoutKey }, /no public key/);
  blocks(t, rule, { release: withoutKey, facts: null }, /no public key/);
});

test('blocks an unsigned sketch without a key if the project has a key or the device verifies signatures', (t) => {
  const signing = { publicKey: { fingerprint: ours, bits: 2048 } };
  blocks(t, rule, { artifact: sound.raw, release: { ...withoutKey, signing }, facts: null }, /no public key/);
  blocks(t, rule, { artifact: sound.raw, release: withoutKey }, /no public key/);
});

test('allows a sketch with a key, a sketch in an unsigned project, and a filesystem image', (t) => {
  isSilent(t, rule);
  isSilent(t, rule, { artifact: sound.raw, release: withoutKey, facts: { signing: 'none' } });
  isSilent(t, rule, { artifact: sound.raw, release: withoutKey, facts: null });
  isSilent(t, rule, { artifact: sound.fsRawSigned });
});
