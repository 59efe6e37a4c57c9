import test from 'ava';
import fc from 'fast-check';
import { acknowledgedBytes } from '../../../src/delivery/espota/acknowledgments.ts';

const examples: [digits: string, underWayBytes: number, acknowledged: number][] = [
  ['1460', 32_768, 1460],
  ['21442144', 32_768, 4288],
  ['214421442096', 32_768, 6384],
  ['5361460', 32_768, 1996],
  ['536536536', 32_768, 1608],
  ['1460146014601460', 32_768, 5840],
  ['409600', 409_600, 409_600],
  ['', 1000, 0],
  // The end of a number whose first digits have already been read.
  ['096', 32_768, 96],
  // An acknowledgment cannot exceed the bytes sent.
  ['99', 50, 18],
  ['9', 5, 5],
];
for (const [digits, underWayBytes, acknowledged] of examples) {
  test(`reads "${digits}" as ${acknowledged} of ${underWayBytes} unacknowledged bytes`, (t) => {
    t.is(acknowledgedBytes(digits, underWayBytes), acknowledged);
  });
}

test('reads a single acknowledgment as one number', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16_000_000 }), fc.nat(100_000), (written, more) => {
      t.is(acknowledgedBytes(String(written), written + more), written);
    }),
  );
});

test('splits equal acknowledgments that arrive without separators', (t) => {
  const windows = fc.constantFrom(1072, 1460, 2144, 2920, 4380, 5840);
  fc.assert(
    fc.property(windows, fc.integer({ min: 2, max: 5 }), (window, count) => {
      const underWayBytes = Math.max(window * count, 32_768);
      t.is(acknowledgedBytes(String(window).repeat(count), underWayBytes), window * count);
    }),
  );
});

test('never returns more than the unacknowledged bytes', (t) => {
  const digits = fc.stringMatching(/^[0-9]{0,2000}$/);
  fc.assert(
    fc.property(digits, fc.nat(500_000), (text, underWayBytes) => {
      const acknowledged = acknowledgedBytes(text, underWayBytes);
      t.true(acknowledged >= 0 && acknowledged <= underWayBytes);
    }),
  );
});

test('reads only the last 120 digits to limit the work', (t) => {
  const tail = fc.stringMatching(/^[1-9][0-9]{119}$/);
  fc.assert(
    fc.property(fc.stringMatching(/^[1-9][0-9]{0,2000}$/), tail, fc.nat(500_000), (before, last, underWayBytes) => {
      t.is(acknowledgedBytes(before + last, underWayBytes), acknowledgedBytes(last, underWayBytes));
    }),
  );
  // Trying every way to split these digits would take forever.
  t.is(acknowledgedBytes('1'.repeat(120), 11_111_111 * 15), 11_111_111 * 15);
});
