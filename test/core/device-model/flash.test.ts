import test from 'ava';
import fc from 'fast-check';
import {
  erasedFlash,
  eraseSector,
  programFlash,
  readFlash,
  roundUpToSector,
  sectorBytes,
} from '../../../src/core/device-model/flash.ts';

test('flash programming clears bits and never sets them', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      (bytes, before) => {
        const flash = before.slice();
        t.true(programFlash(flash, 0, bytes));
        for (const [index, byte] of bytes.entries()) t.is(flash[index], byte & (before[index] ?? 0));
        t.deepEqual(flash.subarray(bytes.length), before.subarray(bytes.length));
      },
    ),
  );
});

test('an erased flash sector stores any content unchanged', (t) => {
  const flash = erasedFlash(3 * sectorBytes);
  const content = Uint8Array.from({ length: sectorBytes }, (_, index) => index & 0xff);
  t.true(programFlash(flash, sectorBytes, content));
  t.true(eraseSector(flash, sectorBytes));
  t.true(flash.every((byte) => byte === 0xff));
  t.true(programFlash(flash, sectorBytes, content));
  t.deepEqual(flash.slice(sectorBytes, 2 * sectorBytes), content);
  t.is(flash[sectorBytes - 1], 0xff);
  t.is(flash[2 * sectorBytes], 0xff);
});

test('rejects flash access outside the chip without changing anything', (t) => {
  const flash = erasedFlash(sectorBytes);
  const kept = Uint8Array.of(1, 2);
  t.false(eraseSector(flash, sectorBytes));
  t.false(programFlash(flash, sectorBytes - 1, Uint8Array.of(0, 0)));
  t.false(programFlash(flash, -1, Uint8Array.of(0)));
  t.false(readFlash(flash, sectorBytes - 1, kept));
  t.deepEqual(kept, Uint8Array.of(1, 2));
  t.true(flash.every((byte) => byte === 0xff));
});

test('rounds sizes up to whole flash sectors', (t) => {
  t.deepEqual([0, 1, 4096, 4097].map(roundUpToSector), [0, 4096, 4096, 8192]);
});
