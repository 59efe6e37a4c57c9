import test from 'ava';
import { flashModeSigned as rule } from '../../../../src/core/preflight/rules/flash-mode-signed.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';
import { guard, guardedCase } from '../guarded.ts';

test('blocks a raw signed sketch with a different or unknown flash mode', (t) => {
  blocks(t, rule, { facts: { flashMode: 'dout' } }, /dio.*dout.*ERROR 12/);
  blocks(t, rule, { image: { flashMode: undefined } }, /unknown/);
});

test('warns if the flash mode or the signature check of the device is unknown', (t) => {
  warns(t, rule, { facts: { flashMode: undefined } }, /flash mode of the device is unknown/);
  warns(t, rule, { facts: { flashMode: 'dout', signing: undefined } }, /dout/);
});

test('allows a signed sketch with the same flash mode, an unsigned sketch, a device without a key, and a gzip-compressed sketch', (t) => {
  isSilent(t, rule);
  isSilent(t, rule, { artifact: sound.raw, facts: { flashMode: 'dout' } });
  isSilent(t, rule, { facts: { flashMode: 'dout', signing: 'none' } });
  isSilent(t, rule, { artifact: sound.gzipSigned, facts: { flashMode: 'dout' } });
});

test('allows a different flash mode in a sketch with metadata for a device with the guard, which puts the mode back', (t) => {
  isSilent(t, rule, guardedCase({}, { flashMode: 'dout' }, sound.rawSigned));
  isSilent(t, rule, guardedCase({}, { flashMode: undefined }, sound.rawSigned));
  blocks(t, rule, { facts: { guard, flashMode: 'dout' } }, /dio.*dout/);
  blocks(t, rule, guardedCase({}, { core: '2.6.2' }, sound.fsRawSigned), /byte 2 of the filesystem/);
});

test('blocks a signed filesystem image on cores up to 2.6.2, which overwrite byte 2', (t) => {
  blocks(t, rule, { artifact: sound.fsRawSigned, facts: { core: '2.6.2' } }, /byte 2 of the filesystem is 0/);
  isSilent(t, rule, { artifact: sound.fsRawSigned, facts: { core: '2.6.3' } });
  isSilent(t, rule, { artifact: sound.fsRawSigned, facts: { core: '2.6.2', flashMode: 'qio' } });
});
