import test from 'ava';
import { unsignedToSigned as rule } from '../../../../src/core/preflight/rules/unsigned-to-signed.ts';
import { isSilent, ours, refuses, sound, warns } from '../case.ts';

const projectKey = { signing: { publicKey: { fingerprint: ours, bits: 2048 } } };

test('an unsigned artifact to a device that verifies is refused', (t) => {
  refuses(t, rule, { artifact: sound.raw }, /ERROR 12/);
  refuses(t, rule, { artifact: sound.fsRaw }, /ERROR 12/);
});

test('to an unknown device of a project with a key it is refused too', (t) => {
  refuses(t, rule, { artifact: sound.raw, release: projectKey, facts: { signing: undefined } }, /project has a key/);
  refuses(t, rule, { artifact: sound.fsRaw, release: projectKey, facts: { signing: undefined } }, /project has a key/);
});

test('an image with a key and no project is a warning to an unknown device', (t) => {
  warns(
    t,
    rule,
    { artifact: sound.raw, facts: { signing: undefined } },
    /unknown whether the device verifies.*ERROR 12/,
  );
});

test('the neighbors pass: signed, a device without a key, no key anywhere', (t) => {
  isSilent(t, rule, { artifact: sound.rawSigned, release: projectKey, facts: { signing: undefined } });
  isSilent(t, rule, { artifact: sound.raw, release: projectKey, facts: { signing: 'none' } });
  isSilent(t, rule, { artifact: sound.raw, release: { embeddedKeys: [] }, facts: { signing: undefined } });
});
