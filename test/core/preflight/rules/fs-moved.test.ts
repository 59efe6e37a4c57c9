import test from 'ava';
import { fsMoved as rule } from '../../../../src/core/preflight/rules/fs-moved.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

test('blocks a sketch whose filesystem starts at a different address', (t) => {
  blocks(t, rule, { image: { layout: { fsStart: 0x300000, fsEnd: 0x3fa000 } } }, /3145728.*2097152/);
});

test('warns about a moved filesystem if the ELF file shows that the sketch mounts no filesystem', (t) => {
  const layout = { fsStart: 0x300000, fsEnd: 0x3fa000 };
  const symbols = { updater: true, filesystem: false };
  warns(t, rule, { image: { layout, symbols } }, /does not mount a filesystem/);
  for (const other of [{ ...symbols, filesystem: true }, undefined]) {
    blocks(t, rule, { image: { layout, symbols: other } }, /stored data would be lost/);
  }
});

test('warns if the filesystem ends at a different address or the layout is unknown', (t) => {
  warns(t, rule, { image: { layout: { fsStart: 0x200000, fsEnd: 0x3fb000 } } }, /4173824.*4169728/);
  warns(t, rule, { image: { layout: undefined } }, /layout of the new sketch is unknown.*2097152/);
});

test('uses the layouts of the core if only the start of the filesystem is known', (t) => {
  const moved = { layout: { fsStart: 0x300000, fsEnd: 0x3fa000 } };
  isSilent(t, rule, { image: moved, facts: { fsStart: 0x3fb000, fsEnd: undefined } });
  blocks(t, rule, { image: moved, facts: { fsEnd: undefined } }, /3145728.*2097152/);
});

test('allows the same layout, a device without a filesystem or with an unknown filesystem, and a filesystem update', (t) => {
  isSilent(t, rule);
  const moved = { layout: { fsStart: 0x300000, fsEnd: 0x3fa000 } };
  isSilent(t, rule, { image: moved, facts: { fsStart: 0x3fb000, fsEnd: 0x3fb000 } });
  isSilent(t, rule, { image: moved, facts: { fsStart: undefined } });
  isSilent(t, rule, { artifact: sound.fsRaw });
});
