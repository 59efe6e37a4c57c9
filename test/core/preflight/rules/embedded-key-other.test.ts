import test from 'ava';
import { embeddedKeyOther as rule } from '../../../../src/core/preflight/rules/embedded-key-other.ts';
import { blocks, isSilent, ours, sound, theirs } from '../case.ts';

test('blocks a sketch whose key differs from the key that signed the sketch', (t) => {
  blocks(t, rule, { release: { embeddedKeys: [theirs] } }, /bbbb.*aaaa/);
  blocks(t, rule, { release: { embeddedKeys: [theirs] }, facts: null }, /bbbb.*aaaa/);
});

test('compares the key in an unsigned sketch with the project key, or else with the device key', (t) => {
  const artifact = sound.raw;
  const signing = { publicKey: { fingerprint: ours, bits: 2048 } };
  blocks(t, rule, { artifact, release: { embeddedKeys: [theirs], signing }, facts: null }, /bbbb.*aaaa/);
  blocks(t, rule, { artifact, release: { embeddedKeys: [theirs] } }, /bbbb.*aaaa/);
});

test('allows a sketch with the correct key, a sketch without keys, and a release without a key to compare', (t) => {
  isSilent(t, rule, { release: { embeddedKeys: [theirs, ours] } });
  isSilent(t, rule, { release: { embeddedKeys: [] } });
  isSilent(t, rule, { artifact: sound.raw, release: { embeddedKeys: [theirs] }, facts: { signing: 'none' } });
});
