import test from 'ava';
import { flashModeGz as rule } from '../../../../src/core/preflight/rules/flash-mode-gz.ts';
import { isSilent, refuses, sound } from '../case.ts';

test('blocks a gzip sketch with a different flash mode', (t) => {
  refuses(t, rule, { artifact: sound.gzipSigned, facts: { flashMode: 'dout' } }, /dio.*dout/);
});

test('blocks a gzip sketch if the flash mode of the device is unknown', (t) => {
  refuses(t, rule, { artifact: sound.gzip, facts: { flashMode: undefined } }, /flash mode of the device is unknown/);
});

test('blocks a raw sketch with a different flash mode on a core before 2.4.2, which does not patch the mode', (t) => {
  refuses(t, rule, { artifact: sound.raw, facts: { core: '2.4.1', flashMode: 'dout' } }, /dio.*dout/);
});

test('allows a gzip sketch with the same flash mode, and a raw sketch that the core patches', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned });
  isSilent(t, rule, { artifact: sound.raw, facts: { flashMode: 'dout' } });
  isSilent(t, rule, { artifact: sound.raw, facts: { flashMode: undefined } });
});
