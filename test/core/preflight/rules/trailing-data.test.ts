import test from 'ava';
import { trailingData as rule } from '../../../../src/core/preflight/rules/trailing-data.ts';
import { blocks, isSilent, sound } from '../case.ts';

test('blocks an image with a second gzip member or trailing bytes, even if no device is known', (t) => {
  for (const id of ['data-after-gzip', 'gzip-second-member']) {
    const image = { findings: [{ id, message: '4 bytes follow the end of the gzip data' }] };
    blocks(t, rule, { artifact: sound.gzip, image }, /4 bytes/);
    blocks(t, rule, { artifact: sound.gzip, image, facts: null }, /4 bytes/);
  }
});

test('does not treat a signature as trailing data', (t) => {
  isSilent(t, rule, { artifact: sound.gzipSigned });
});

test('allows data that a build appended to a raw image or to an image before compression', (t) => {
  const image = { findings: [{ id: 'data-after-image', message: '2048 bytes follow the end of the image' }] };
  isSilent(t, rule, { artifact: sound.raw, image });
  isSilent(t, rule, { artifact: sound.gzip, image });
});
