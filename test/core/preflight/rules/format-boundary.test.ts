import test from 'ava';
import { formatBoundary as rule } from '../../../../src/core/preflight/rules/format-boundary.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

const legacy = { ...sound.rawSigned, signature: 'legacy' } as const;

test('blocks a legacy signature on core 2.6.0 and a current signature on core 2.5.2', (t) => {
  blocks(t, rule, { artifact: legacy, facts: { core: '2.6.0' } }, /legacy.*current/);
  blocks(t, rule, { artifact: sound.rawSigned, facts: { core: '2.5.2' } }, /current.*legacy/);
});

test('uses the known signature format of a device with an unknown core', (t) => {
  blocks(t, rule, { artifact: legacy, facts: { core: undefined, format: 'current' } }, /legacy.*current/);
  isSilent(t, rule, { artifact: legacy, facts: { core: undefined, format: 'legacy' } });
});

test('prefers the known signature format of a device over the format of its core', (t) => {
  isSilent(t, rule, { artifact: legacy, facts: { core: '2.6.0', format: 'legacy' } });
  blocks(t, rule, { artifact: sound.rawSigned, facts: { core: '2.6.0', format: 'legacy' } }, /current.*legacy/);
  isSilent(t, rule, { artifact: sound.rawSigned, facts: { core: '2.5.2', format: 'current' } });
  blocks(t, rule, { artifact: legacy, facts: { core: '2.5.2', format: 'current' } }, /legacy.*current/);
});

test('warns if the signature check is unknown, and about a legacy signature on an unknown core', (t) => {
  warns(t, rule, { artifact: legacy, facts: { signing: undefined } }, /legacy.*current/);
  warns(t, rule, { artifact: legacy, facts: { core: undefined } }, /before core 2\.6\.0/);
  isSilent(t, rule, { artifact: sound.rawSigned, facts: { core: undefined } });
});

test('allows a legacy signature on core 2.5.2 or without a device key, and a current signature on core 2.6.0', (t) => {
  isSilent(t, rule, { artifact: legacy, facts: { core: '2.5.2' } });
  isSilent(t, rule, { artifact: sound.rawSigned, facts: { core: '2.6.0' } });
  isSilent(t, rule, { artifact: legacy, facts: { signing: 'none' } });
});
