import { crc32 } from 'node:zlib';

const headerBytes = 10;
const flagsOffset = 3;
const flagExtra = 0x04;
const flagName = 0x08;
const flagComment = 0x10;
const flagHeaderCrc = 0x02;

/**
 * Pads a gzip member to a multiple of 4 bytes by extending its FNAME field, which eboot skips (`uzlib_gzip_parse_header`).
 *
 * Cores 3.1.0 to 3.1.2 reject a signed payload with ERROR 12 if its length is not a multiple of 4 (esp8266/Arduino#9109). The compressed
 * data is unchanged; a header CRC, if present, is updated.
 *
 * @param gzip one gzip member
 */
export function alignGzip(gzip: Uint8Array): Uint8Array {
  const excess = gzip.length % 4;
  if (excess === 0) return gzip;
  const flags = gzip[flagsOffset] ?? 0;
  const padding = 4 - excess;
  const aligned = (flags & flagName) === 0 ? insertName(gzip, flags, padding) : lengthenName(gzip, flags, padding);
  if ((flags & flagHeaderCrc) !== 0) fixHeaderCrc(aligned);
  return aligned;
}

/** Inserts a file name of `padding - 1` characters and a zero byte. */
function insertName(gzip: Uint8Array, flags: number, padding: number): Uint8Array {
  const at = endOfExtra(gzip, flags);
  const name = new Uint8Array(padding).fill(0x5f, 0, padding - 1);
  const aligned = splice(gzip, at, name);
  aligned[flagsOffset] = flags | flagName;
  return aligned;
}

function lengthenName(gzip: Uint8Array, flags: number, padding: number): Uint8Array {
  return splice(gzip, endOfExtra(gzip, flags), new Uint8Array(padding).fill(0x5f));
}

function endOfExtra(gzip: Uint8Array, flags: number): number {
  if ((flags & flagExtra) === 0) return headerBytes;
  return headerBytes + 2 + ((gzip[headerBytes] ?? 0) | ((gzip[headerBytes + 1] ?? 0) << 8));
}

/** Updates the header CRC (FHCRC): the low 16 bits of the CRC-32 of all preceding header bytes (RFC 1952, 2.3.1.2). */
function fixHeaderCrc(gzip: Uint8Array): void {
  const flags = gzip[flagsOffset] ?? 0;
  const texts = [flagName, flagComment].filter((flag) => (flags & flag) !== 0);
  const at = texts.reduce((start) => gzip.indexOf(0, start) + 1, endOfExtra(gzip, flags));
  const crc = crc32(gzip.subarray(0, at));
  gzip[at] = crc & 0xff;
  gzip[at + 1] = (crc >>> 8) & 0xff;
}

function splice(bytes: Uint8Array, at: number, inserted: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length + inserted.length);
  result.set(bytes.subarray(0, at));
  result.set(inserted, at);
  result.set(bytes.subarray(at), at + inserted.length);
  return result;
}
