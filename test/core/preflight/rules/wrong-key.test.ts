import test from 'ava';
import { wrongKey as rule } from '../../../../src/core/preflight/rules/wrong-key.ts';
import { isSilent, refuses, sound, theirs, warns } from '../case.ts';

test('an artifact of another key than the device holds is refused', (t) => {
  refuses(t, rule, { facts: { keyFingerprint: theirs } }, /aaaa.*bbbb.*ERROR 12/);
});

test('before 2.7.0 the device crashes', (t) => {
  refuses(t, rule, { facts: { core: '2.6.3', keyFingerprint: theirs } }, /crash/);
});

test('a signature that no known key made is refused where the device verifies, and else a warning', (t) => {
  const artifact = { ...sound.rawSigned, signature: 'unverified', keyFingerprint: undefined } as const;
  const image = {
    findings: [{ id: 'signature-unverified', message: 'it is not one of this payload by the known key' }],
  };
  refuses(t, rule, { artifact, image }, /not one of this payload/);
  warns(t, rule, { artifact, image, facts: { signing: undefined } }, /not one of this payload/);
  warns(t, rule, { artifact }, /cannot be verified: no public key is known/);
});

test('the neighbors pass: the same key, an unknown key, a device without a key', (t) => {
  isSilent(t, rule);
  isSilent(t, rule, { facts: { keyFingerprint: undefined } });
  isSilent(t, rule, { facts: { signing: 'none', keyFingerprint: undefined } });
});
