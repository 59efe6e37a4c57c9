import test from 'ava';
import { gzSignedUnaligned as rule } from '../../../../src/core/preflight/rules/gz-signed-unaligned.ts';
import { isSilent, refuses, sound, warns } from '../case.ts';

const unaligned = { ...sound.gzipSigned, payloadBytes: 200_001, sizeBytes: 200_261 };

test('a signed payload of which 4 does not divide the length is refused for 3.1.0 to 3.1.2', (t) => {
  for (const core of ['3.1.0', '3.1.1', '3.1.2']) {
    refuses(t, rule, { artifact: unaligned, facts: { core } }, /200001 bytes, 3 short .*ERROR 12/);
  }
});

test('where core or signing are not known, it is a warning', (t) => {
  warns(t, rule, { artifact: unaligned, facts: { core: undefined } }, /3\.1\.0 to 3\.1\.2/);
  warns(t, rule, { artifact: unaligned, facts: { signing: undefined } }, /3\.1\.0 to 3\.1\.2/);
});

test('the neighbors pass: an aligned payload, core 3.0.2, core 3.1.3, a device without a key', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned });
  isSilent(t, rule, { artifact: unaligned, facts: { core: '3.0.2' } });
  isSilent(t, rule, { artifact: unaligned, facts: { core: '3.1.3' } });
  isSilent(t, rule, { artifact: unaligned, facts: { signing: 'none' } });
});
