import test from 'ava';
import { findBuiltHeader } from '../../../src/core/firmware/built-header.ts';
import { crc8266 } from '../../../src/core/firmware/crc8266.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import {
  describeFlash,
  flashFrequenciesByNibble,
  flashModes,
  flashSizesByNibble,
  readFlashHeader,
} from '../../../src/core/firmware/flash-header.ts';
import { buildImage, setWord } from '../../support/image-builder.ts';

test('reports an image whose size word is smaller than the image header', (t) => {
  for (const sizeBytes of [0, 1, 3]) {
    const image = buildImage();
    // Without a segment table, no other field contradicts the size word.
    setWord(image, 0x100c, 0xffffffff);
    setWord(image, 0x1010, sizeBytes);
    t.true(readFirmware(image).findings.some(({ id }) => id === 'crc-mismatch'));
    t.is(findBuiltHeader(image, sizeBytes, 1), undefined);
  }
});

test('finds every flash header that a build of the image may have', (t) => {
  const patched = buildImage();
  const crc = crc8266(patched);
  for (const modeByte of flashModes.keys()) {
    for (const size of flashSizesByNibble.keys()) {
      for (const frequency of flashFrequenciesByNibble.keys()) {
        const built = patched.slice();
        built[2] = modeByte;
        built[3] = (size << 4) | frequency;
        const expected = describeFlash(readFlashHeader(modeByte, built[3]));
        t.is(findBuiltHeader(patched, patched.length, crc8266(built) ^ crc), expected);
      }
    }
  }
});
