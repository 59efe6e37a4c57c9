import { createHash } from 'node:crypto';
import test from 'ava';
import { sketchMd5s } from '../../../src/core/firmware/sketch-md5.ts';
import { buildImage } from '../../support/image-builder.ts';

test('returns a different sketch MD5 for each flash mode, size and frequency', (t) => {
  const image = buildImage();
  const md5s = sketchMd5s(image, image.length);
  t.is(md5s.length, 4 * 7 * 4);
  t.is(new Set(md5s.map(({ md5 }) => md5)).size, md5s.length);
});

test('returns the MD5 of the file for the flash settings of the build', (t) => {
  const image = buildImage({ modeByte: 2, sizeAndFrequencyByte: 0x90 });
  const found = sketchMd5s(image, image.length).find(
    ({ flashMode, flashSizeBytes, flashFrequencyMHz }) =>
      flashMode === 'dio' && flashSizeBytes === 16 * 1024 * 1024 && flashFrequencyMHz === 40,
  );
  t.is(found?.md5, createHash('md5').update(image).digest('hex'));
});

test('computes sketch MD5s for other flash settings without changing the image', (t) => {
  const image = buildImage();
  const before = Uint8Array.from(image);
  const found = sketchMd5s(image, image.length).find(
    ({ flashMode, flashSizeBytes, flashFrequencyMHz }) =>
      flashMode === 'dout' && flashSizeBytes === 1024 * 1024 && flashFrequencyMHz === 80,
  );
  t.deepEqual(image, before);
  before[2] = 3;
  before[3] = 0x2f;
  t.is(found?.md5, createHash('md5').update(before).digest('hex'));
});

test('excludes bytes after the sketch from the sketch MD5', (t) => {
  const image = buildImage();
  const longer = Buffer.concat([image, Buffer.alloc(100)]);
  t.deepEqual(sketchMd5s(longer, image.length), sketchMd5s(image, image.length));
});

test('returns no MD5s for a sketch size larger than the file or smaller than the header', (t) => {
  t.deepEqual(sketchMd5s(new Uint8Array(10), 20), []);
  t.deepEqual(sketchMd5s(new Uint8Array(10), 2), []);
});

test('returns no MD5s for a sketch larger than 4 MiB, which no device can run', (t) => {
  const mostBytes = 4 * 1024 * 1024;
  const image = new Uint8Array(mostBytes + 16);
  t.is(sketchMd5s(image, mostBytes).length, 4 * 7 * 4);
  t.deepEqual(sketchMd5s(image, mostBytes + 16), []);
});
