import test from 'ava';
import { kindMismatch as rule } from '../../../../src/core/preflight/rules/kind-mismatch.ts';
import { isSilent, refuses, sound } from '../case.ts';

test('blocks a filesystem if a sketch is expected, and a sketch if a filesystem is expected', (t) => {
  refuses(t, rule, { artifact: sound.fsGzipSigned, facts: { kind: 'sketch' } }, /filesystem.*sketch/);
  refuses(t, rule, { facts: { kind: 'filesystem' } }, /sketch.*filesystem/);
});

test('allows the expected image kind, and any kind if the expected kind is unknown', (t) => {
  isSilent(t, rule, { facts: { kind: 'sketch' } });
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { kind: 'filesystem' } });
  isSilent(t, rule);
});
