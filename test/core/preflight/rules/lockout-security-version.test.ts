import test from 'ava';
import { lockOutRules } from '../../../../src/core/preflight/lock-outs.ts';
import { blocks, isSilent, releaseOf, sound } from '../case.ts';
import { guard } from '../guarded.ts';

const [, , rule] = lockOutRules;
/** The guard has security version 2. */
const previous = { ...releaseOf(sound.rawSigned, { guard }), version: '1.0' };
const given = (securityVersion: number) => ({
  facts: null,
  previous,
  release: { metadata: { product: 'door', securityVersion, raw: true } },
});

test('blocks a security version that goes down, or that jumps by more than 1', (t) => {
  blocks(t, rule, given(1), /goes down to 1, .*1\.0 accept only 2 or higher/);
  blocks(t, rule, given(0), /goes down to 0/);
  blocks(t, rule, given(4), /jumps from 2 in 1\.0 to 4/);
  blocks(t, rule, given(0xffff_ffff), /jumps from 2/);
  const plain = { ...releaseOf(sound.rawSigned), metadata: { securityVersion: 1, raw: false } };
  blocks(t, rule, { ...given(0), previous: plain }, /goes down/);
});

test('allows the same security version, the next one, and builds without metadata', (t) => {
  isSilent(t, rule, given(2));
  isSilent(t, rule, given(3));
  isSilent(t, rule, { facts: null, previous, release: {} });
  isSilent(t, rule, { ...given(9), previous: releaseOf(sound.rawSigned) });
  const { release } = given(9);
  isSilent(t, rule, { facts: null, release });
});
