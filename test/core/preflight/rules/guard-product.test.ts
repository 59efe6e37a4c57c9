import test from 'ava';
import { guardProduct as rule } from '../../../../src/core/preflight/rules/guard-product.ts';
import { blocks, isSilent, sound } from '../case.ts';
import { guardedCase } from '../guarded.ts';

test('blocks an artifact for a product that differs from the product of the device', (t) => {
  blocks(t, rule, guardedCase({ product: '0123456789abcdee' }), /0123456789abcdee.*0123456789abcdef/);
  blocks(t, rule, guardedCase({ product: '0000000000000000' }, {}, sound.rawSigned), /product 0{16}/);
});

test('allows an artifact for the product of the device, and any product without the guard', (t) => {
  isSilent(t, rule, guardedCase({}));
  isSilent(t, rule, guardedCase({ product: '0123456789abcdee' }, { guard: undefined }));
  isSilent(t, rule, guardedCase({ product: '0123456789abcdee' }, {}, sound.gzip));
});
