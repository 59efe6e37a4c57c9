import test from 'ava';
import { gzSignedUnsignedDevice as rule } from '../../../../src/core/preflight/rules/gz-signed-unsigned-device.ts';
import { isSilent, refuses, sound } from '../case.ts';

test('signed gzip to a device without a key is refused', (t) => {
  refuses(t, rule, { artifact: sound.gzipSigned, facts: { signing: 'none' } }, /without a key.* 256/);
});

test('signed gzip is refused where it is not known whether the device verifies', (t) => {
  refuses(
    t,
    rule,
    { artifact: sound.gzipSigned, facts: { signing: undefined } },
    /unknown whether the device verifies.* 256/,
  );
});

test('a device that verifies takes it, and one without a key takes the raw signed artifact', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned });
  isSilent(t, rule, { artifact: sound.rawSigned, facts: { signing: 'none' } });
  isSilent(t, rule, { artifact: sound.gzip, facts: { signing: 'none' } });
});
