import test from 'ava';
import { fsGzNeedsAtomic as rule } from '../../../../src/core/preflight/rules/fs-gz-needs-atomic.ts';
import { isSilent, refuses, sound } from '../case.ts';

test('gzip of a filesystem is refused without ATOMIC_FS_UPDATE, and where that is not known', (t) => {
  refuses(t, rule, { artifact: sound.fsGzip }, /in place/);
  refuses(t, rule, { artifact: sound.fsGzip, facts: { atomicFs: undefined } }, /unknown whether .* ATOMIC_FS_UPDATE/);
  refuses(t, rule, { artifact: sound.fsGzip, facts: { atomicFs: true, core: '2.5.2' } }, /in place/);
});

test('the neighbors pass: an atomic device, the raw filesystem, a sketch', (t) => {
  isSilent(t, rule, { artifact: sound.fsGzip, facts: { atomicFs: true } });
  isSilent(t, rule, { artifact: sound.fsRaw });
  isSilent(t, rule, { artifact: sound.gzip });
});
