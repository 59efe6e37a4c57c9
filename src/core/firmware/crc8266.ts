/**
 * Computes the CRC that eboot and the core use for an image (`crc8266` in `elf2bin.py`): polynomial 0x04c11db7, most significant bit first,
 * no final xor.
 *
 * @param start CRC of the preceding bytes
 */
export function crc8266(bytes: Uint8Array, start = 0xffffffff): number {
  let crc = start | 0;
  for (const byte of bytes) crc = (crc << 8) ^ (crcTable[(crc >>> 24) ^ byte] ?? 0);
  return crc >>> 0;
}

/** Returns the CRC after one zero bit. */
export function shiftCrc(crc: number): number {
  return ((crc << 1) ^ (crc >>> 31 === 1 ? 0x04c11db7 : 0)) >>> 0;
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = shiftCrc(crc);
  return crc;
});
