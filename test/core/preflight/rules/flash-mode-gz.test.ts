import test from 'ava';
import { flashModes } from '../../../../src/core/firmware/flash-header.ts';
import { flashModeGz as rule } from '../../../../src/core/preflight/rules/flash-mode-gz.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

/** Image flash modes that boot without patching, by the device's flash mode. */
const slower: Readonly<Record<string, readonly string[]>> = {
  qio: ['qout', 'dio', 'dout'],
  qout: ['dout'],
  dio: ['dout'],
  dout: [],
};

test('warns about a slower flash mode in a gzip-compressed sketch and blocks every other mode that differs', (t) => {
  for (const deviceMode of flashModes) {
    for (const imageMode of flashModes) {
      const given = { artifact: sound.gzipSigned, image: { flashMode: imageMode }, facts: { flashMode: deviceMode } };
      const saying = new RegExp(`${imageMode}.*${deviceMode}`);
      if (imageMode === deviceMode) isSilent(t, rule, given);
      else if (slower[deviceMode]?.includes(imageMode) === true) warns(t, rule, given, saying);
      else blocks(t, rule, given, saying);
    }
  }
});

test('blocks a gzip-compressed sketch if its flash mode or the flash mode of the device is unknown', (t) => {
  blocks(t, rule, { artifact: sound.gzip, facts: { flashMode: undefined } }, /flash mode of the device is unknown/);
  blocks(t, rule, { artifact: sound.gzip, image: { flashMode: undefined } }, /has flash mode unknown/);
});

test('allows a raw sketch and a gzip-compressed filesystem image with any flash mode', (t) => {
  isSilent(t, rule, { artifact: sound.raw, facts: { flashMode: 'dout' } });
  isSilent(t, rule, { artifact: sound.raw, facts: { flashMode: undefined } });
  isSilent(t, rule, { artifact: sound.fsGzip, facts: { flashMode: 'dout' } });
});
