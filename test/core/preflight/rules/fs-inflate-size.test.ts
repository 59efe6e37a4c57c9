import test from 'ava';
import { fsInflateSize as rule } from '../../../../src/core/preflight/rules/fs-inflate-size.ts';
import { isSilent, refuses, sound } from '../case.ts';

const inflating = (sizeBytes: number) => ({ ...sound.fsGzip, inflate: { sizeBytes } });

test('gzip of a filesystem larger than its partition is refused, to the byte', (t) => {
  isSilent(t, rule, { artifact: inflating(0x1fa000) });
  refuses(t, rule, { artifact: inflating(0x1fa001) }, /2072577 bytes, 4096 more .*Wi-Fi/);
});

test('gzip is refused where the partition is not known', (t) => {
  refuses(t, rule, { artifact: sound.fsGzip, facts: { fsEnd: undefined } }, /not known/);
  refuses(t, rule, { artifact: sound.fsGzip, facts: { fsStart: undefined } }, /not known/);
});

test('it speaks of compressed filesystems only', (t) => {
  isSilent(t, rule, { artifact: { ...sound.fsRaw, sizeBytes: 0x200000 } });
  isSilent(t, rule, { artifact: sound.gzip, facts: { fsEnd: undefined } });
});
