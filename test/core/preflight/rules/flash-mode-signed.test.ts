import test from 'ava';
import { flashModeSigned as rule } from '../../../../src/core/preflight/rules/flash-mode-signed.ts';
import { isSilent, refuses, sound, warns } from '../case.ts';

test('a raw signed sketch of another flash mode is refused', (t) => {
  refuses(t, rule, { facts: { flashMode: 'dout' } }, /dio.*dout.*ERROR 12/);
  refuses(t, rule, { image: { flashMode: undefined } }, /unknown/);
});

test('where flash mode or signing are not known, it is a warning', (t) => {
  warns(t, rule, { facts: { flashMode: undefined } }, /flash mode of the device is unknown/);
  warns(t, rule, { facts: { flashMode: 'dout', signing: undefined } }, /dout/);
});

test('the neighbors pass: the same mode, no signature, no key, gzip', (t) => {
  isSilent(t, rule);
  isSilent(t, rule, { artifact: sound.raw, facts: { flashMode: 'dout' } });
  isSilent(t, rule, { facts: { flashMode: 'dout', signing: 'none' } });
  isSilent(t, rule, { artifact: sound.gzipSigned, facts: { flashMode: 'dout' } });
});

test('up to 2.6.2 byte 2 of a signed filesystem is overwritten as well', (t) => {
  refuses(t, rule, { artifact: sound.fsRawSigned, facts: { core: '2.6.2' } }, /byte 2 of the filesystem is 0/);
  isSilent(t, rule, { artifact: sound.fsRawSigned, facts: { core: '2.6.3' } });
  isSilent(t, rule, { artifact: sound.fsRawSigned, facts: { core: '2.6.2', flashMode: 'qio' } });
});
