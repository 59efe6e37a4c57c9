import { crc32, deflateRawSync } from 'node:zlib';

/** The optional fields of a gzip header, as other tools write them. */
export interface GzipFields {
  readonly extra?: Uint8Array;
  readonly name?: string;
  readonly comment?: string;
  readonly headerCrc?: boolean;
  /** Seconds since 1970. */
  readonly modificationTime?: number;
}

/** Builds a gzip member (RFC 1952) with these header fields. */
export function buildGzip(content: Uint8Array, fields: GzipFields = {}): Buffer {
  const { extra, name, comment, headerCrc = false, modificationTime = 0 } = fields;
  const flags = (headerCrc ? 2 : 0) | (extra ? 4 : 0) | (name === undefined ? 0 : 8) | (comment === undefined ? 0 : 16);
  const header = [Buffer.from([0x1f, 0x8b, 8, flags]), word(modificationTime), Buffer.from([0, 3])];
  if (extra) header.push(word(extra.length).subarray(0, 2), Buffer.from(extra));
  for (const text of [name, comment]) if (text !== undefined) header.push(Buffer.from(`${text}\0`, 'latin1'));
  if (headerCrc) header.push(word(crc32(Buffer.concat(header))).subarray(0, 2));
  return Buffer.concat([...header, deflateRawSync(content), word(crc32(content)), word(content.length)]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
