import test from 'ava';
import { enforcementUnproven as rule } from '../../../../src/core/preflight/rules/enforcement-unproven.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

const unproven = { enforcement: 'unproven' } as const;

test('warns about unproven enforcement and blocks publishing', (t) => {
  warns(t, rule, { release: unproven }, /nothing shows/);
  blocks(t, rule, { release: unproven, facts: null, publishing: true }, /nothing shows/);
});

test('blocks a sketch whose ELF lacks the verifier', (t) => {
  blocks(t, rule, { release: { enforcement: 'disproved' } }, /does not use the key/);
});

test('allows proven and declared enforcement, a sketch in an unsigned project, and a signed filesystem image', (t) => {
  isSilent(t, rule);
  isSilent(t, rule, { release: { enforcement: 'declared' }, facts: null, publishing: true });
  isSilent(t, rule, { artifact: sound.raw, release: unproven, facts: null });
  isSilent(t, rule, { artifact: sound.fsRawSigned, release: unproven });
});
