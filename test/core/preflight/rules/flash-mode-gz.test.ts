import test from 'ava';
import { flashModeGz as rule } from '../../../../src/core/preflight/rules/flash-mode-gz.ts';
import { blocks, isSilent, sound } from '../case.ts';

test("blocks a gzip-compressed sketch whose flash mode differs from the device's", (t) => {
  blocks(t, rule, { artifact: sound.gzipSigned, facts: { flashMode: 'dout' } }, /dio.*dout/);
});

test('blocks a gzip-compressed sketch if the flash mode of the device is unknown', (t) => {
  blocks(t, rule, { artifact: sound.gzip, facts: { flashMode: undefined } }, /flash mode of the device is unknown/);
});

test('blocks a raw sketch with a different flash mode on cores before 2.4.2, which do not patch it', (t) => {
  blocks(t, rule, { artifact: sound.raw, facts: { core: '2.4.1', flashMode: 'dout' } }, /dio.*dout/);
});

test('allows a gzip-compressed sketch with the same flash mode, and a raw sketch that the core patches', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned });
  isSilent(t, rule, { artifact: sound.raw, facts: { flashMode: 'dout' } });
  isSilent(t, rule, { artifact: sound.raw, facts: { flashMode: undefined } });
});
