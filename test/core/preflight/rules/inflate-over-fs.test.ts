import test from 'ava';
import { inflateOverFs as rule } from '../../../../src/core/preflight/rules/inflate-over-fs.ts';
import { blocks, isSilent, sound } from '../case.ts';

const inflating = (sizeBytes: number) => ({ ...sound.gzip, inflate: { sizeBytes } });

test('blocks a gzip-compressed sketch that inflates one byte past the start of the filesystem', (t) => {
  isSilent(t, rule, { artifact: inflating(0x200000) });
  blocks(t, rule, { artifact: inflating(0x200001) }, /2097153 bytes.*2097152: 4096 bytes/);
});

test('blocks a gzip-compressed sketch if the start of the filesystem is unknown', (t) => {
  blocks(t, rule, { artifact: sound.gzip, facts: { fsStart: undefined } }, /start of the filesystem .*is unknown/);
  isSilent(t, rule, { artifact: sound.raw, facts: { fsStart: undefined } });
});

test('blocks a gzip bomb even without a device', (t) => {
  const findings = [{ id: 'gzip-too-large', message: 'the gzip content is larger than 16777216 bytes' }];
  blocks(t, rule, { artifact: inflating(0), image: { kind: 'unknown', findings }, facts: null }, /16777216/);
});
