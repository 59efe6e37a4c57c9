import test from 'ava';
import { formatBoundary as rule } from '../../../../src/core/preflight/rules/format-boundary.ts';
import { isSilent, refuses, sound, warns } from '../case.ts';

const legacy = { ...sound.rawSigned, signature: 'legacy' } as const;

test('a legacy signature to 2.6.0 is refused, and a current one to 2.5.2', (t) => {
  refuses(t, rule, { artifact: legacy, facts: { core: '2.6.0' } }, /legacy.*current/);
  refuses(t, rule, { artifact: sound.rawSigned, facts: { core: '2.5.2' } }, /current.*legacy/);
});

test('what the device is known to understand counts before what its core says', (t) => {
  refuses(t, rule, { artifact: legacy, facts: { core: undefined, format: 'current' } }, /legacy.*current/);
  isSilent(t, rule, { artifact: legacy, facts: { core: undefined, format: 'legacy' } });
});

test('where signing is not known it is a warning, and for legacy where nothing is', (t) => {
  warns(t, rule, { artifact: legacy, facts: { signing: undefined } }, /legacy.*current/);
  warns(t, rule, { artifact: legacy, facts: { core: undefined } }, /before core 2\.6\.0/);
  isSilent(t, rule, { artifact: sound.rawSigned, facts: { core: undefined } });
});

test('the neighbors pass: legacy to 2.5.2, current to 2.6.0, either to a device without a key', (t) => {
  isSilent(t, rule, { artifact: legacy, facts: { core: '2.5.2' } });
  isSilent(t, rule, { artifact: sound.rawSigned, facts: { core: '2.6.0' } });
  isSilent(t, rule, { artifact: legacy, facts: { signing: 'none' } });
});
