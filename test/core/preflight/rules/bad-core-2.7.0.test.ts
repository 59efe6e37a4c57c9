import test from 'ava';
import { badCore270 as rule } from '../../../../src/core/preflight/rules/bad-core-2.7.0.ts';
import { isSilent, refuses, warns } from '../case.ts';

test('an image of 2.7.0 is refused, with a device and without one', (t) => {
  refuses(t, rule, { image: { core: '2.7.0' } }, /2\.7\.0.*XMC/);
  refuses(t, rule, { image: { core: '2.7.0' }, facts: null }, /2\.7\.0.*XMC/);
});

test('a device on 2.7.0 is a warning: only some flash chips hang', (t) => {
  warns(t, rule, { facts: { core: '2.7.0' } }, /XMC/);
});

test('2.7.1 passes, in the image and on the device', (t) => {
  isSilent(t, rule, { image: { core: '2.7.1' } });
  isSilent(t, rule, { facts: { core: '2.7.1' } });
});
