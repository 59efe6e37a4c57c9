import test from 'ava';
import { flashSize as rule } from '../../../../src/core/preflight/rules/flash-size.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

const onOneMegabyte = { chipSizeBytes: 0x100000 };

test('blocks a raw or gzip-compressed sketch for a larger flash chip', (t) => {
  blocks(t, rule, { artifact: sound.raw, facts: onOneMegabyte }, /4194304.*1048576.*ERROR 9/);
  blocks(t, rule, { artifact: sound.raw, facts: { ...onOneMegabyte, transport: 'http' } }, /-107/);
  blocks(t, rule, { artifact: sound.gzip, facts: onOneMegabyte }, /every later update with ERROR 8/);
});

test('blocks a gzip-compressed sketch but not a raw sketch if the chip size is unknown', (t) => {
  blocks(
    t,
    rule,
    { artifact: sound.gzip, facts: { chipSizeBytes: undefined } },
    /flash chip size of the device is unknown/,
  );
  isSilent(t, rule, { artifact: sound.raw, facts: { chipSizeBytes: undefined } });
});

test('warns about an image whose flash size is unknown', (t) => {
  warns(t, rule, { image: { flashSizeBytes: undefined } }, /is not a flash size of the ESP8266/);
});

test('allows a sketch for the same or a smaller flash size', (t) => {
  isSilent(t, rule, { artifact: sound.gzip });
  isSilent(t, rule, { artifact: sound.gzip, image: { flashSizeBytes: 0x100000 } });
});
