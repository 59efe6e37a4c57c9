import test from 'ava';
import { findBuiltHeader } from '../../../src/core/firmware/built-header.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { buildImage, setWord } from '../../support/image-builder.ts';

test('reports an image whose size word is smaller than a header', (t) => {
  for (const sizeBytes of [0, 1, 3]) {
    const image = buildImage();
    // Without a segment table nothing contradicts the size word.
    setWord(image, 0x100c, 0xffffffff);
    setWord(image, 0x1010, sizeBytes);
    t.true(readFirmware(image).findings.some(({ id }) => id === 'crc-mismatch'));
    t.is(findBuiltHeader(image, sizeBytes, 1), undefined);
  }
});
