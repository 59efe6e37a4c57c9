import test from 'ava';
import { gzSignedUnaligned as rule } from '../../../../src/core/preflight/rules/gz-signed-unaligned.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

const unaligned = { ...sound.gzipSigned, payloadBytes: 200_001, sizeBytes: 200_261 };

test('blocks a signed payload on cores 3.1.0 to 3.1.2 if its length is not a multiple of 4', (t) => {
  for (const core of ['3.1.0', '3.1.1', '3.1.2']) {
    blocks(t, rule, { artifact: unaligned, facts: { core } }, /200001 bytes, 3 short .*ERROR 12/);
  }
});

test('warns about an unaligned payload if the core or the signature check of the device is unknown', (t) => {
  warns(t, rule, { artifact: unaligned, facts: { core: undefined } }, /3\.1\.0 to 3\.1\.2/);
  warns(t, rule, { artifact: unaligned, facts: { signing: undefined } }, /3\.1\.0 to 3\.1\.2/);
});

test('allows an aligned payload, a device on core 3.0.2 or 3.1.3, and a device without a key', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned });
  isSilent(t, rule, { artifact: unaligned, facts: { core: '3.0.2' } });
  isSilent(t, rule, { artifact: unaligned, facts: { core: '3.1.3' } });
  isSilent(t, rule, { artifact: unaligned, facts: { signing: 'none' } });
});
