import test from 'ava';
import { gzSignedUnsignedDevice as rule } from '../../../../src/core/preflight/rules/gz-signed-unsigned-device.ts';
import { blocks, isSilent, sound } from '../case.ts';

test('blocks a signed gzip-compressed image on a device without a key', (t) => {
  blocks(t, rule, { artifact: sound.gzipSigned, facts: { signing: 'none' } }, /without a key.* 256/);
});

test('blocks a signed gzip-compressed image if it is unknown whether the device verifies signatures', (t) => {
  blocks(
    t,
    rule,
    { artifact: sound.gzipSigned, facts: { signing: undefined } },
    /unknown whether the device verifies.* 256/,
  );
});

test('allows the artifact if the device has a key or the artifact is raw or unsigned', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned });
  isSilent(t, rule, { artifact: sound.rawSigned, facts: { signing: 'none' } });
  isSilent(t, rule, { artifact: sound.gzip, facts: { signing: 'none' } });
});
