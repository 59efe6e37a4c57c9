import test from 'ava';
import { fsInflateSize as rule } from '../../../../src/core/preflight/rules/fs-inflate-size.ts';
import { blocks, isSilent, sound } from '../case.ts';

const inflating = (sizeBytes: number) => ({ ...sound.fsGzip, inflate: { sizeBytes } });

test('blocks a gzip-compressed filesystem image that inflates to one byte more than its partition', (t) => {
  isSilent(t, rule, { artifact: inflating(0x1fa000) });
  blocks(t, rule, { artifact: inflating(0x1fa001) }, /2072577 bytes; .*4096 more .*2072576: .*Wi-Fi/);
});

test('blocks a gzip-compressed filesystem image if the partition size is unknown', (t) => {
  blocks(
    t,
    rule,
    { artifact: sound.fsGzip, facts: { fsEnd: undefined } },
    /size of the filesystem partition is unknown/,
  );
  blocks(
    t,
    rule,
    { artifact: sound.fsGzip, facts: { fsStart: undefined } },
    /size of the filesystem partition is unknown/,
  );
});

test('ignores raw filesystem images and compressed sketches', (t) => {
  isSilent(t, rule, { artifact: { ...sound.fsRaw, sizeBytes: 0x200000 } });
  isSilent(t, rule, { artifact: sound.gzip, facts: { fsEnd: undefined } });
});
