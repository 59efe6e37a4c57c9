import test from 'ava';
import { gzSignedOldCore as rule } from '../../../../src/core/preflight/rules/gz-signed-old-core.ts';
import { isSilent, refuses, sound } from '../case.ts';

test('signed gzip to 2.7.4 is refused: eboot would take the length of the signature for the size', (t) => {
  refuses(t, rule, { artifact: sound.gzipSigned, facts: { core: '2.7.4' } }, /2\.7\.4.* 256 /);
});

test('the neighbors are not: core 3.0.0, the raw signed artifact, gzip without a signature', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned, facts: { core: '3.0.0' } });
  isSilent(t, rule, { artifact: sound.rawSigned, facts: { core: '2.7.4' } });
  isSilent(t, rule, { artifact: sound.gzip, facts: { core: '2.7.4' } });
});
