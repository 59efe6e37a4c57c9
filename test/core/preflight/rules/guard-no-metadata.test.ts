import test from 'ava';
import { guardNoMetadata as rule } from '../../../../src/core/preflight/rules/guard-no-metadata.ts';
import { blocks, isSilent, sound } from '../case.ts';
import { guard, marked } from '../guarded.ts';

test('blocks an artifact without metadata for a device whose guard requires metadata', (t) => {
  for (const artifact of [sound.rawSigned, sound.gzipSigned, sound.fsRawSigned]) {
    blocks(t, rule, { artifact, facts: { guard } }, /contains no metadata/);
    isSilent(t, rule, { artifact: marked(artifact), facts: { guard } });
  }
});

test('allows an artifact without metadata if the guard requires only a signature, and without the guard', (t) => {
  isSilent(t, rule, { artifact: sound.rawSigned, facts: { guard: { ...guard, require: 'signature' } } });
  isSilent(t, rule, { artifact: sound.rawSigned });
  isSilent(t, rule, { artifact: sound.rawSigned, facts: null });
  isSilent(t, rule, { artifact: sound.raw, facts: { guard } });
});
