import test from 'ava';
import { flashSize as rule } from '../../../../src/core/preflight/rules/flash-size.ts';
import { isSilent, refuses, sound, warns } from '../case.ts';

const onOneMegabyte = { chipSizeBytes: 0x100000 };

test('a sketch for a larger flash is refused: raw since the device says so, gzip since it does not', (t) => {
  refuses(t, rule, { artifact: sound.raw, facts: onOneMegabyte }, /4194304.*1048576.*ERROR 9/);
  refuses(t, rule, { artifact: sound.raw, facts: { ...onOneMegabyte, transport: 'http' } }, /-107/);
  refuses(t, rule, { artifact: sound.gzip, facts: onOneMegabyte }, /every later update with ERROR 8/);
});

test('gzip is refused where the chip is not known, and raw is not', (t) => {
  refuses(
    t,
    rule,
    { artifact: sound.gzip, facts: { chipSizeBytes: undefined } },
    /flash chip size of the device is unknown/,
  );
  isSilent(t, rule, { artifact: sound.raw, facts: { chipSizeBytes: undefined } });
});

test('an image that does not say is a warning', (t) => {
  warns(t, rule, { image: { flashSizeBytes: undefined } }, /does not know/);
});

test('the same size and a smaller one pass', (t) => {
  isSilent(t, rule, { artifact: sound.gzip });
  isSilent(t, rule, { artifact: sound.gzip, image: { flashSizeBytes: 0x100000 } });
});
