import test from 'ava';
import { unsignedToSigned as rule } from '../../../../src/core/preflight/rules/unsigned-to-signed.ts';
import { blocks, isSilent, ours, sound, warns } from '../case.ts';

const projectKey = { signing: { publicKey: { fingerprint: ours, bits: 2048 } } };

test('blocks an unsigned artifact on a device that verifies signatures', (t) => {
  blocks(t, rule, { artifact: sound.raw }, /ERROR 12/);
  blocks(t, rule, { artifact: sound.fsRaw }, /ERROR 12/);
});

test('blocks an unsigned artifact on an unknown device if the project has a key', (t) => {
  blocks(t, rule, { artifact: sound.raw, release: projectKey, facts: { signing: undefined } }, /project has a key/);
  blocks(t, rule, { artifact: sound.fsRaw, release: projectKey, facts: { signing: undefined } }, /project has a key/);
});

test('warns about an unsigned image for an unknown device if the image contains a key', (t) => {
  warns(
    t,
    rule,
    { artifact: sound.raw, facts: { signing: undefined } },
    /unknown whether the device verifies.*ERROR 12/,
  );
});

test('allows a signed artifact, a device without a key, and an image without a key', (t) => {
  isSilent(t, rule, { artifact: sound.rawSigned, release: projectKey, facts: { signing: undefined } });
  isSilent(t, rule, { artifact: sound.raw, release: projectKey, facts: { signing: 'none' } });
  isSilent(t, rule, { artifact: sound.raw, release: { embeddedKeys: [] }, facts: { signing: undefined } });
});
