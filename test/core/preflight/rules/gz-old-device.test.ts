import test from 'ava';
import { gzOldDevice as rule } from '../../../../src/core/preflight/rules/gz-old-device.ts';
import { ask, isSilent, refuses, sound } from '../case.ts';

test('gzip to a core before 2.7.0 is refused, and two hops are named', (t) => {
  refuses(t, rule, { artifact: sound.gzip, facts: { core: '2.6.3' } }, /2\.6\.3 does not support gzip/);
  t.regex(ask(rule, { artifact: sound.gzip, facts: { core: '2.6.3' } })?.instead ?? '', /two hops/);
});

test('gzip to an unknown core, or to one that is no release, is refused', (t) => {
  refuses(t, rule, { artifact: sound.gzip, facts: { core: undefined } }, /core of the device is unknown/);
  refuses(t, rule, { artifact: sound.gzip, facts: { core: '2.7.4-dev' } }, /2\.7\.4-dev, which is not a known release/);
});

test('the neighbors pass: gzip to 2.7.0, raw to anything', (t) => {
  isSilent(t, rule, { artifact: sound.gzip, facts: { core: '2.7.0' } });
  isSilent(t, rule, { artifact: sound.raw, facts: { core: '2.6.3' } });
  isSilent(t, rule, { artifact: sound.raw, facts: { core: undefined } });
});
