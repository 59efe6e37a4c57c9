import test from 'ava';
import { fsMoved as rule } from '../../../../src/core/preflight/rules/fs-moved.ts';
import { isSilent, refuses, sound, warns } from '../case.ts';

test('a sketch whose filesystem starts elsewhere is refused', (t) => {
  refuses(t, rule, { image: { layout: { fsStart: 0x300000, fsEnd: 0x3fa000 } } }, /3145728.*2097152/);
});

test('an end that moved, and a layout that is not known, are warnings', (t) => {
  warns(t, rule, { image: { layout: { fsStart: 0x200000, fsEnd: 0x3fb000 } } }, /4173824.*4169728/);
  warns(t, rule, { image: { layout: undefined } }, /layout of the new sketch is unknown.*2097152/);
});

test('where only its start is known, the layouts of the core tell whether there is a filesystem', (t) => {
  const moved = { layout: { fsStart: 0x300000, fsEnd: 0x3fa000 } };
  isSilent(t, rule, { image: moved, facts: { fsStart: 0x3fb000, fsEnd: undefined } });
  refuses(t, rule, { image: moved, facts: { fsEnd: undefined } }, /3145728.*2097152/);
});

test('the neighbors pass: the same layout, a device without a filesystem, one of which it is not known, a filesystem', (t) => {
  isSilent(t, rule);
  const moved = { layout: { fsStart: 0x300000, fsEnd: 0x3fa000 } };
  isSilent(t, rule, { image: moved, facts: { fsStart: 0x3fb000, fsEnd: 0x3fb000 } });
  isSilent(t, rule, { image: moved, facts: { fsStart: undefined } });
  isSilent(t, rule, { artifact: sound.fsRaw });
});
