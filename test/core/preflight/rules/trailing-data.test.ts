import test from 'ava';
import { trailingData as rule } from '../../../../src/core/preflight/rules/trailing-data.ts';
import { isSilent, refuses, sound } from '../case.ts';

test('a second member and bytes behind the first are refused, with a device and without one', (t) => {
  for (const id of ['trailing-data', 'gzip-second-member']) {
    const image = { findings: [{ id, message: '4 bytes follow the end of the gzip data' }] };
    refuses(t, rule, { artifact: sound.gzip, image }, /4 bytes/);
    refuses(t, rule, { artifact: sound.gzip, image, facts: null }, /4 bytes/);
  }
});

test('a signature is no trailing data', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned });
});
