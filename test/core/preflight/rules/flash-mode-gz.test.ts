import test from 'ava';
import { flashModeGz as rule } from '../../../../src/core/preflight/rules/flash-mode-gz.ts';
import { isSilent, refuses, sound } from '../case.ts';

test('gzip of a sketch with another flash mode is refused', (t) => {
  refuses(t, rule, { artifact: sound.gzipSigned, facts: { flashMode: 'dout' } }, /dio.*dout/);
});

test('gzip is refused where the flash mode of the device is not known', (t) => {
  refuses(t, rule, { artifact: sound.gzip, facts: { flashMode: undefined } }, /flash mode of the device is unknown/);
});

test('before 2.4.2 nothing is patched, not even a raw sketch', (t) => {
  refuses(t, rule, { artifact: sound.raw, facts: { core: '2.4.1', flashMode: 'dout' } }, /dio.*dout/);
});

test('the neighbors pass: the same mode, and the raw sketch, which is patched', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned });
  isSilent(t, rule, { artifact: sound.raw, facts: { flashMode: 'dout' } });
  isSilent(t, rule, { artifact: sound.raw, facts: { flashMode: undefined } });
});
