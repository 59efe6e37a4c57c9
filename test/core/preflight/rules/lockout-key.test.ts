import test from 'ava';
import { lockOutRules } from '../../../../src/core/preflight/lock-outs.ts';
import type { Release } from '../../../../src/core/preflight/release.ts';
import { blocks, isSilent, ours, releaseOf, sound, theirs } from '../case.ts';
import { guard } from '../guarded.ts';

const [, rule] = lockOutRules;
const key = (fingerprint: string, bits = 2048) => ({ fingerprint, bits });

function signedFor(fingerprint: string | undefined, previousKey?: string, bits?: number): Release {
  const signing = {
    publicKey: fingerprint === undefined ? undefined : key(fingerprint, bits),
    previousKey: previousKey === undefined ? undefined : key(previousKey),
  };
  return { ...releaseOf(sound.rawSigned), version: '1.0', signing };
}

test('blocks a release that is signed with a key that the last release does not accept', (t) => {
  const given = { facts: null, previous: signedFor(ours) };
  blocks(t, rule, { ...given, release: signedFor(theirs) }, /signed with key b{16}….*1\.0 accept only key a{16}…/);
  blocks(t, rule, { ...given, release: signedFor(theirs, undefined, 4096) }, /4096 bits.*2048 bits/);
  blocks(t, rule, { ...given, release: signedFor(undefined) }, /the release is unsigned/);
  // A hop from a key that no device has.
  blocks(t, rule, { ...given, release: signedFor(ours, theirs) }, /signed with key b/);
  const guarded = releaseOf(sound.rawSigned, { guard: { ...guard, keys: ['c'.repeat(64), 'd'.repeat(64)] } });
  const previous = { ...guarded, signing: { publicKey: key('c'.repeat(64)) } };
  blocks(t, rule, { facts: null, previous, release: signedFor(ours) }, /only keys c{16}…, d{16}…/);
});

test('allows the key of the last release, a hop from it, a backup key of the guard, and a first release', (t) => {
  const given = { facts: null, previous: signedFor(ours) };
  isSilent(t, rule, { ...given, release: signedFor(ours) });
  isSilent(t, rule, { ...given, release: signedFor(theirs, ours) });
  // After a hop, devices have the new key.
  isSilent(t, rule, { facts: null, previous: signedFor(theirs, ours), release: signedFor(theirs) });
  const guarded = { ...releaseOf(sound.rawSigned, { guard }), signing: { publicKey: key(theirs) } };
  isSilent(t, rule, { facts: null, previous: guarded, release: signedFor(ours) });
  isSilent(t, rule, { facts: null, previous: signedFor(undefined), release: signedFor(ours) });
  isSilent(t, rule, { facts: null, release: signedFor(ours) });
});
