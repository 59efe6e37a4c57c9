import test from 'ava';
import { embeddedKeyOther as rule } from '../../../../src/core/preflight/rules/embedded-key-other.ts';
import { isSilent, ours, refuses, sound, theirs } from '../case.ts';

test('a sketch with another key than the one that signs is refused', (t) => {
  refuses(t, rule, { release: { embeddedKeys: [theirs] } }, /bbbb.*aaaa/);
  refuses(t, rule, { release: { embeddedKeys: [theirs] }, facts: null }, /bbbb.*aaaa/);
});

test('unsigned, the key of the project counts, and else that of the device', (t) => {
  const artifact = sound.raw;
  const signing = { publicKey: { fingerprint: ours, bits: 2048 } };
  refuses(t, rule, { artifact, release: { embeddedKeys: [theirs], signing }, facts: null }, /bbbb.*aaaa/);
  refuses(t, rule, { artifact, release: { embeddedKeys: [theirs] } }, /bbbb.*aaaa/);
});

test('the neighbors pass: the key among others, no key at all, nothing to compare with', (t) => {
  isSilent(t, rule, { release: { embeddedKeys: [theirs, ours] } });
  isSilent(t, rule, { release: { embeddedKeys: [] } });
  isSilent(t, rule, { artifact: sound.raw, release: { embeddedKeys: [theirs] }, facts: { signing: 'none' } });
});
