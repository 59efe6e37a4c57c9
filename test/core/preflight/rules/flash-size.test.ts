import test from 'ava';
import { flashSize as rule } from '../../../../src/core/preflight/rules/flash-size.ts';
import { isSilent, refuses, sound, warns } from '../case.ts';

const onOneMegabyte = { chipSizeBytes: 0x100000 };

test('blocks a raw or gzip sketch for a larger flash', (t) => {
  refuses(t, rule, { artifact: sound.raw, facts: onOneMegabyte }, /4194304.*1048576.*ERROR 9/);
  refuses(t, rule, { artifact: sound.raw, facts: { ...onOneMegabyte, transport: 'http' } }, /-107/);
  refuses(t, rule, { artifact: sound.gzip, facts: onOneMegabyte }, /every later update with ERROR 8/);
});

test('blocks a gzip sketch if the chip size is unknown, but allows a raw sketch', (t) => {
  refuses(
    t,
    rule,
    { artifact: sound.gzip, facts: { chipSizeBytes: undefined } },
    /flash chip size of the device is unknown/,
  );
  isSilent(t, rule, { artifact: sound.raw, facts: { chipSizeBytes: undefined } });
});

test('warns about an image whose flash size is unknown', (t) => {
  warns(t, rule, { image: { flashSizeBytes: undefined } }, /does not know/);
});

test('allows a sketch for the same or a smaller flash size', (t) => {
  isSilent(t, rule, { artifact: sound.gzip });
  isSilent(t, rule, { artifact: sound.gzip, image: { flashSizeBytes: 0x100000 } });
});
