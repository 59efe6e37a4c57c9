import test from 'ava';
import { flashModes } from '../../../../src/core/firmware/flash-header.ts';
import { flashModeRawOld as rule } from '../../../../src/core/preflight/rules/flash-mode-raw-old.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

const slower: readonly string[] = ['qout on qio', 'dio on qio', 'dout on qio', 'dout on qout', 'dout on dio'];

test('warns about a slower flash mode in a raw sketch on cores before 2.4.2 and blocks every other mode that differs', (t) => {
  for (const core of ['2.0.0', '2.3.0', '2.4.1']) {
    for (const deviceMode of flashModes) {
      for (const imageMode of flashModes) {
        const given = { artifact: sound.raw, image: { flashMode: imageMode }, facts: { core, flashMode: deviceMode } };
        const saying = new RegExp(`${imageMode}.*${deviceMode}`);
        if (imageMode === deviceMode) isSilent(t, rule, given);
        else if (slower.includes(`${imageMode} on ${deviceMode}`)) warns(t, rule, given, saying);
        else blocks(t, rule, given, saying);
      }
    }
  }
});

test('allows a raw sketch with any flash mode on core 2.4.2 or later, which patches the mode', (t) => {
  isSilent(t, rule, { artifact: sound.raw, facts: { core: '2.4.2', flashMode: 'dout' } });
  isSilent(t, rule, { artifact: sound.raw, facts: { core: '3.1.2', flashMode: undefined } });
});

test('warns if the core is unknown and the known flash modes differ', (t) => {
  for (const core of [undefined, 'unknown', '2.7.4-3-g2843a5ac']) {
    warns(t, rule, { artifact: sound.raw, facts: { core, flashMode: 'dout' } }, /dio.*dout.*core is unknown/);
    isSilent(t, rule, { artifact: sound.raw, facts: { core, flashMode: 'dio' } });
    isSilent(t, rule, { artifact: sound.raw, facts: { core, flashMode: undefined } });
  }
});

test('warns about an unknown flash mode on cores before 2.4.2 unless the mode of the image works on every chip', (t) => {
  const facts = { core: '2.3.0', flashMode: undefined };
  warns(t, rule, { artifact: sound.raw, facts }, /flash mode of the device is unknown.*2\.3\.0/);
  isSilent(t, rule, { artifact: sound.raw, image: { flashMode: 'dout' }, facts });
});
