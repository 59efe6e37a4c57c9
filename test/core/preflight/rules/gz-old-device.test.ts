import test from 'ava';
import { gzOldDevice as rule } from '../../../../src/core/preflight/rules/gz-old-device.ts';
import { blocks, isSilent, runRule, sound } from '../case.ts';

test('blocks gzip-compressed images on cores before 2.7.0 and suggests two hops', (t) => {
  blocks(t, rule, { artifact: sound.gzip, facts: { core: '2.6.3' } }, /2\.6\.3 does not support gzip/);
  t.regex(runRule(rule, { artifact: sound.gzip, facts: { core: '2.6.3' } })?.fix ?? '', /two hops/);
});

test('blocks gzip-compressed images if the core is unknown or not a release', (t) => {
  blocks(t, rule, { artifact: sound.gzip, facts: { core: undefined } }, /core of the device is unknown/);
  blocks(t, rule, { artifact: sound.gzip, facts: { core: '2.7.4-dev' } }, /2\.7\.4-dev, which is not a known release/);
});

test('allows a gzip-compressed image on core 2.7.0, and a raw image on an older or unknown core', (t) => {
  isSilent(t, rule, { artifact: sound.gzip, facts: { core: '2.7.0' } });
  isSilent(t, rule, { artifact: sound.raw, facts: { core: '2.6.3' } });
  isSilent(t, rule, { artifact: sound.raw, facts: { core: undefined } });
});
