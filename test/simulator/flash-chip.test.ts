import test from 'ava';
import fc from 'fast-check';
import { FlashChip } from '../../src/simulator/flash-chip.ts';

const chipBytes = 64 * 1024;

test('reads unwritten bytes as erased and omits bytes beyond the end of the chip', (t) => {
  const chip = new FlashChip(chipBytes, Uint8Array.of(1, 2, 3));
  t.deepEqual([...chip.read(0, 5)], [1, 2, 3, 0xff, 0xff]);
  t.deepEqual([...chip.read(chipBytes - 2, 9)], [0xff, 0xff]);
  t.is(chip.read(chipBytes + 10, 9).length, 0);
});

test('behaves like a plain array for any sequence of reads and changes', (t) => {
  const change = fc.record({
    address: fc.nat(chipBytes - 1),
    lengthBytes: fc.integer({ min: 1, max: 20_000 }),
    value: fc.constantFrom(0, 1, 0xff),
  });
  const content = fc.uint8Array({ maxLength: 9000 });
  fc.assert(
    fc.property(content, fc.array(change, { maxLength: 8 }), (initial, changes) => {
      const chip = new FlashChip(chipBytes, initial);
      const model = new Uint8Array(chipBytes).fill(0xff);
      model.set(initial);
      for (const { address, lengthBytes, value } of changes) {
        chip.change((flash) => flash.fill(value, address, address + lengthBytes));
        model.fill(value, address, address + lengthBytes);
        t.is(Buffer.compare(chip.read(address, lengthBytes), model.subarray(address, address + lengthBytes)), 0);
      }
      t.is(Buffer.compare(chip.read(0, chipBytes), model), 0);
    }),
    { numRuns: 50 },
  );
});

test('leaves the original content and other chips made from it unchanged', (t) => {
  const content = new Uint8Array(5000).fill(7);
  const [one, other] = [new FlashChip(chipBytes, content), new FlashChip(chipBytes, content)];
  one.change((flash) => flash.fill(1));
  t.is(Buffer.compare(other.read(0, 5000), content), 0);
  t.true(content.every((byte) => byte === 7));
  t.is(
    other.change((flash) => flash[9000]),
    0xff,
  );
});
