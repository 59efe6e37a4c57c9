import test from 'ava';
import { eboot25 as rule } from '../../../../src/core/preflight/rules/eboot-2.5.ts';
import { isSilent, sound, warns } from '../case.ts';

test('warns about a device on core 2.5.x', (t) => {
  for (const core of ['2.5.2', 'v2.5.2']) warns(t, rule, { facts: { core } }, /2\.5\.2/);
});

test('allows a sketch on cores 2.4.2 and 2.6.0, and a filesystem image on core 2.5.x', (t) => {
  isSilent(t, rule, { facts: { core: '2.4.2' } });
  isSilent(t, rule, { facts: { core: '2.6.0' } });
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { core: '2.5.2' } });
});
