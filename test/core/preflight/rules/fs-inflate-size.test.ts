import test from 'ava';
import { fsInflateSize as rule } from '../../../../src/core/preflight/rules/fs-inflate-size.ts';
import { isSilent, refuses, sound } from '../case.ts';

const inflating = (sizeBytes: number) => ({ ...sound.fsGzip, inflate: { sizeBytes } });

test('gzip of a filesystem larger than its partition is refused, to the byte', (t) => {
  isSilent(t, rule, { artifact: inflating(0x1fa000) });
  refuses(t, rule, { artifact: inflating(0x1fa001) }, /2072577 bytes, 4096 more .*2072576 .*Wi-Fi/);
});

test('gzip is refused where the partition is not known', (t) => {
  refuses(
    t,
    rule,
    { artifact: sound.fsGzip, facts: { fsEnd: undefined } },
    /size of the filesystem partition is unknown/,
  );
  refuses(
    t,
    rule,
    { artifact: sound.fsGzip, facts: { fsStart: undefined } },
    /size of the filesystem partition is unknown/,
  );
});

test('it speaks of compressed filesystems only', (t) => {
  isSilent(t, rule, { artifact: { ...sound.fsRaw, sizeBytes: 0x200000 } });
  isSilent(t, rule, { artifact: sound.gzip, facts: { fsEnd: undefined } });
});
