import test from 'ava';
import { fsModePatched as rule } from '../../../../src/core/preflight/rules/fs-mode-patched.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

test('blocks a raw filesystem image on cores 2.4.2 to 2.6.2, which overwrite byte 2', (t) => {
  for (const core of ['2.4.2', '2.5.2', '2.6.2']) {
    blocks(t, rule, { artifact: sound.fsRaw, facts: { core } }, /\(0\).*dio/);
  }
  warns(t, rule, { artifact: sound.fsRaw, facts: { core: '2.6.2', flashMode: undefined } }, /2\.6\.2.*unknown/);
});

test('allows cores 2.4.1 and 2.6.3, an image whose byte 2 equals the flash mode, a gzip-compressed image, and a sketch', (t) => {
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { core: '2.4.1' } });
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { core: '2.6.3' } });
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { core: '2.6.2', flashMode: 'qio' } });
  isSilent(t, rule, { artifact: sound.fsGzip, facts: { core: '2.6.2' } });
  isSilent(t, rule, { artifact: sound.raw, facts: { core: '2.6.2', flashMode: 'dout' } });
});
