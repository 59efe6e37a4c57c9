import test from 'ava';
import { fsGzNeedsAtomic as rule } from '../../../../src/core/preflight/rules/fs-gz-needs-atomic.ts';
import { blocks, isSilent, sound } from '../case.ts';

test('blocks a gzip-compressed filesystem image if ATOMIC_FS_UPDATE is missing or unknown', (t) => {
  blocks(t, rule, { artifact: sound.fsGzip }, /in place/);
  blocks(t, rule, { artifact: sound.fsGzip, facts: { atomicFs: undefined } }, /unknown whether .* ATOMIC_FS_UPDATE/);
  blocks(t, rule, { artifact: sound.fsGzip, facts: { atomicFs: true, core: '2.5.2' } }, /in place/);
});

test('allows a gzip-compressed filesystem image with ATOMIC_FS_UPDATE, a raw filesystem image, and a gzip-compressed sketch', (t) => {
  isSilent(t, rule, { artifact: sound.fsGzip, facts: { atomicFs: true } });
  isSilent(t, rule, { artifact: sound.fsRaw });
  isSilent(t, rule, { artifact: sound.gzip });
});
