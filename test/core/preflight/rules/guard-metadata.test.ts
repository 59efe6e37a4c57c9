import test from 'ava';
import { guardMetadata as rule } from '../../../../src/core/preflight/rules/guard-metadata.ts';
import { blocks, isSilent, sound } from '../case.ts';
import { guard, guardedCase, marked } from '../guarded.ts';

test('blocks an artifact whose metadata does not describe it', (t) => {
  blocks(t, rule, guardedCase({ kind: 'filesystem' }), /says filesystem, not sketch/);
  blocks(t, rule, guardedCase({ memberBytes: 199_996 }), /199996 bytes of gzip data, not 200000/);
  blocks(t, rule, guardedCase({ lowestStart: 90_111 }), /90111 as the lowest staging address, not 90112/);
  blocks(t, rule, guardedCase({ flashModeByte: 0 }), /flash mode qio, not dio/);
  blocks(t, rule, guardedCase({ flashSizeByte: 0x30 }, {}, sound.rawSigned), /2097152 bytes of flash, not 4194304/);
  blocks(t, rule, guardedCase({ kind: 'sketch' }, { kind: 'filesystem' }, sound.fsRawSigned), /says sketch/);
});

test('allows metadata that describes its artifact, and any metadata without the guard', (t) => {
  for (const artifact of [sound.rawSigned, sound.gzipSigned, sound.fsRawSigned, sound.fsGzipSigned]) {
    isSilent(t, rule, { artifact: marked(artifact), facts: { guard } });
  }
  isSilent(t, rule, guardedCase({ memberBytes: 4 }, {}, sound.rawSigned));
  isSilent(t, rule, guardedCase({ flashModeByte: 0 }, { guard: undefined }));
});

test('compares the kind in the metadata with the expected kind if the image is not recognized', (t) => {
  const unknown = { image: { kind: 'unknown' as const } };
  blocks(t, rule, { ...guardedCase({}, { kind: 'filesystem' }, sound.rawSigned), ...unknown }, /says sketch/);
  isSilent(t, rule, { ...guardedCase({}, { kind: 'filesystem' }, sound.fsRawSigned), ...unknown });
});
