import test from 'ava';
import { ecKey as rule } from '../../../../src/core/preflight/rules/ec-key.ts';
import { isSilent, refuses, sound, theirs, warns } from '../case.ts';

const findings = [{ id: 'embedded-key-not-rsa', message: 'the content holds a public key that is not RSA' }];

test('a key that is not RSA, and none that is, is refused, with a device and without one', (t) => {
  refuses(t, rule, { image: { findings }, release: { embeddedKeys: [] } }, /not RSA.*no RSA key/);
  refuses(t, rule, { artifact: sound.raw, image: { findings }, release: { embeddedKeys: [] }, facts: null }, /not RSA/);
});

test('beside RSA keys of which none is known to be the right one it is a warning', (t) => {
  warns(t, rule, { artifact: sound.raw, image: { findings }, facts: null }, /not RSA/);
  warns(t, rule, { image: { findings }, release: { embeddedKeys: [theirs] } }, /not RSA/);
});

test('beside the right key it is for something else', (t) => {
  isSilent(t, rule, { image: { findings } });
  isSilent(t, rule);
});
