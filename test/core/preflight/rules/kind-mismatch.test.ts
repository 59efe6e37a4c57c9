import test from 'ava';
import { kindMismatch as rule } from '../../../../src/core/preflight/rules/kind-mismatch.ts';
import { isSilent, refuses, sound } from '../case.ts';

test('a filesystem where a sketch is expected is refused, and the reverse', (t) => {
  refuses(t, rule, { artifact: sound.fsGzipSigned, facts: { kind: 'sketch' } }, /filesystem.*sketch/);
  refuses(t, rule, { facts: { kind: 'filesystem' } }, /sketch.*filesystem/);
});

test('what is expected passes, and so does anything where nothing is', (t) => {
  isSilent(t, rule, { facts: { kind: 'sketch' } });
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { kind: 'filesystem' } });
  isSilent(t, rule);
});
