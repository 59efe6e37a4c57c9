import test from 'ava';
import { enforcementUnproven as rule } from '../../../../src/core/preflight/rules/enforcement-unproven.ts';
import { isSilent, refuses, sound, warns } from '../case.ts';

const unproven = { enforcement: 'unproven' } as const;

test('without a proof it is a warning, and refused when it is published', (t) => {
  warns(t, rule, { release: unproven }, /nothing shows/);
  refuses(t, rule, { release: unproven, facts: null, publishing: true }, /nothing shows/);
});

test('an ELF without the verifier is refused', (t) => {
  refuses(t, rule, { release: { enforcement: 'disproved' } }, /does not use the key/);
});

test('the neighbors pass: a proof, a declaration, no signing anywhere', (t) => {
  isSilent(t, rule);
  isSilent(t, rule, { release: { enforcement: 'declared' }, facts: null, publishing: true });
  isSilent(t, rule, { artifact: sound.raw, release: unproven, facts: null });
  isSilent(t, rule, { artifact: sound.fsRawSigned, release: unproven });
});
