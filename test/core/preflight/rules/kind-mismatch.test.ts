import test from 'ava';
import { kindMismatch as rule } from '../../../../src/core/preflight/rules/kind-mismatch.ts';
import { blocks, isSilent, sound } from '../case.ts';

test('blocks a filesystem image if a sketch is expected, and vice versa', (t) => {
  blocks(t, rule, { artifact: sound.fsGzipSigned, facts: { kind: 'sketch' } }, /filesystem.*sketch/);
  blocks(t, rule, { facts: { kind: 'filesystem' } }, /sketch.*filesystem/);
});

test('allows the expected image kind, and any kind if the expected kind is unknown', (t) => {
  isSilent(t, rule, { facts: { kind: 'sketch' } });
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { kind: 'filesystem' } });
  isSilent(t, rule);
});
