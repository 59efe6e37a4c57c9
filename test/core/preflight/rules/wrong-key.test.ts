import test from 'ava';
import { wrongKey as rule } from '../../../../src/core/preflight/rules/wrong-key.ts';
import { blocks, isSilent, sound, theirs, warns } from '../case.ts';
import { guard } from '../guarded.ts';

test("blocks an artifact signed with a key that differs from the device's", (t) => {
  blocks(t, rule, { facts: { keyFingerprint: theirs } }, /aaaa.*bbbb.*ERROR 12/);
});

test('reports that a device on a core before 2.7.0 crashes', (t) => {
  blocks(t, rule, { facts: { core: '2.6.3', keyFingerprint: theirs } }, /crash/);
});

test('blocks an unverified signature and warns if the signature check or the public key is unknown', (t) => {
  const artifact = { ...sound.rawSigned, signature: 'unverified', keyFingerprint: undefined } as const;
  const image = {
    findings: [{ id: 'signature-unverified', message: 'it is not one of this payload by the known key' }],
  };
  blocks(t, rule, { artifact, image }, /not one of this payload/);
  warns(t, rule, { artifact, image, facts: { signing: undefined } }, /not one of this payload/);
  warns(t, rule, { artifact }, /cannot be verified: no public key is available/);
});

test('allows each key of a device with the guard, which does not crash', (t) => {
  isSilent(t, rule, { facts: { guard } });
  isSilent(t, rule, { artifact: { ...sound.rawSigned, keyFingerprint: theirs }, facts: { guard } });
  const artifact = { ...sound.rawSigned, keyFingerprint: 'c'.repeat(64) };
  blocks(t, rule, { artifact, facts: { core: '2.6.3', guard } }, /keys bbbb.*, aaaa.*reject the update with ERROR 12/);
});

test('allows the same key, a device with an unknown key, and a device without a key', (t) => {
  isSilent(t, rule);
  isSilent(t, rule, { facts: { keyFingerprint: undefined } });
  isSilent(t, rule, { facts: { signing: 'none', keyFingerprint: undefined } });
});
