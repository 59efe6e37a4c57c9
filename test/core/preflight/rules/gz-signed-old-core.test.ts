import test from 'ava';
import { gzSignedOldCore as rule } from '../../../../src/core/preflight/rules/gz-signed-old-core.ts';
import { blocks, isSilent, sound } from '../case.ts';
import { guard } from '../guarded.ts';

test('blocks a signed gzip-compressed image on core 2.7.4, where eboot would read the signature length as the size', (t) => {
  blocks(t, rule, { artifact: sound.gzipSigned, facts: { core: '2.7.4' } }, /2\.7\.4.* 256 /);
});

test('allows the artifact on core 2.7.4 with the guard, which passes only the payload to eboot', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned, facts: { core: '2.7.4', guard } });
});

test('allows the artifact on core 3.0.0, and on core 2.7.4 if it is raw or unsigned', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned, facts: { core: '3.0.0' } });
  isSilent(t, rule, { artifact: sound.rawSigned, facts: { core: '2.7.4' } });
  isSilent(t, rule, { artifact: sound.gzip, facts: { core: '2.7.4' } });
});
