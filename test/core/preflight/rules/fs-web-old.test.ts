import test from 'ava';
import { fsWebOld as rule } from '../../../../src/core/preflight/rules/fs-web-old.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

test('blocks a filesystem over the web updater of a core before 2.6.0', (t) => {
  for (const core of ['2.0.0', '2.3.0', '2.5.2']) {
    blocks(t, rule, { artifact: sound.fsRaw, facts: { core, transport: 'web' } }, /treats every file as a sketch/);
    isSilent(t, rule, { artifact: sound.fsRaw, facts: { core, transport: 'espota' } });
    isSilent(t, rule, { artifact: sound.raw, facts: { core, transport: 'web' } });
  }
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { core: '2.6.0', transport: 'web' } });
});

test('warns if the transport or the core of the device is unknown', (t) => {
  warns(t, rule, { artifact: sound.fsRaw, facts: { core: '2.5.2', transport: undefined } }, /over the web updater/);
  warns(
    t,
    rule,
    { artifact: sound.fsRaw, facts: { core: undefined, transport: 'web' } },
    /core of the device is unknown/,
  );
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { core: undefined, transport: undefined } });
});
