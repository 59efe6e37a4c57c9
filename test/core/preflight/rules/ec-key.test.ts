import test from 'ava';
import { ecKey as rule } from '../../../../src/core/preflight/rules/ec-key.ts';
import { blocks, isSilent, sound, theirs, warns } from '../case.ts';

const findings = [{ id: 'embedded-key-not-rsa', message: 'the content holds a public key that is not RSA' }];

test('blocks an image whose only key is not RSA, with and without a device', (t) => {
  blocks(t, rule, { image: { findings }, release: { embeddedKeys: [] } }, /not RSA.*no RSA key/);
  blocks(t, rule, { artifact: sound.raw, image: { findings }, release: { embeddedKeys: [] }, facts: null }, /not RSA/);
});

test('warns about a key that is not RSA if no RSA key in the image is known to be correct', (t) => {
  warns(t, rule, { artifact: sound.raw, image: { findings }, facts: null }, /not RSA/);
  warns(t, rule, { image: { findings }, release: { embeddedKeys: [theirs] } }, /not RSA/);
});

test('allows a key that is not RSA in addition to the correct key', (t) => {
  isSilent(t, rule, { image: { findings } });
  isSilent(t, rule);
});
