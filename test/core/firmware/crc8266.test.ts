import test from 'ava';
import fc from 'fast-check';
import { crc8266 } from '../../../src/core/firmware/crc8266.ts';

/** CRC computed bit by bit from its definition. */
function slowCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const carry = (crc >>> 31) ^ ((byte >> bit) & 1);
      crc = (crc << 1) >>> 0;
      if (carry === 1) crc = (crc ^ 0x04c11db7) >>> 0;
    }
  }
  return crc;
}

test('matches the check value of CRC-32/MPEG-2', (t) => {
  t.is(crc8266(Buffer.from('123456789')), 0x0376e6e7);
});

test('matches a bitwise CRC, whether computed in one call or in two', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 200 }), (bytes, cut) => {
      const expected = slowCrc(bytes);
      return crc8266(bytes) === expected && crc8266(bytes.subarray(cut), crc8266(bytes.subarray(0, cut))) === expected;
    }),
  );
  t.pass();
});
