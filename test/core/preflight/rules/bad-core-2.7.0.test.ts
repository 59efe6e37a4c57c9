import test from 'ava';
import { badCore270 as rule } from '../../../../src/core/preflight/rules/bad-core-2.7.0.ts';
import { blocks, isSilent, warns } from '../case.ts';

test('blocks an image built with core 2.7.0, with and without a device', (t) => {
  blocks(t, rule, { image: { core: '2.7.0' } }, /2\.7\.0.*XMC/);
  blocks(t, rule, { image: { core: '2.7.0' }, facts: null }, /2\.7\.0.*XMC/);
});

test('warns about a device on core 2.7.0, because only some flash chips hang', (t) => {
  for (const core of ['2.7.0', 'v2.7.0', 'esp8266:2.7.0']) warns(t, rule, { facts: { core } }, /XMC/);
});

test('allows an image built with core 2.7.1 and a device on core 2.7.1', (t) => {
  isSilent(t, rule, { image: { core: '2.7.1' } });
  isSilent(t, rule, { facts: { core: '2.7.1' } });
});
