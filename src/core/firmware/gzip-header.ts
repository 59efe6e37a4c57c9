import { crc32 } from 'node:zlib';
import type { Finding } from './finding.ts';
import { halfWordAt, wordAt } from './little-endian.ts';

/** Flag bits of a gzip header (RFC 1952, 2.3.1). */
const flagBits = { headerCrc: 0x02, extra: 0x04, fileName: 0x08, comment: 0x10, reserved: 0xe0 } as const;

const fixedHeaderBytes = 10;
const deflateMethod = 8;

/** Header of a gzip member. */
export interface GzipHeader {
  readonly sizeBytes: number;
  readonly flags: number;
  /** Modification time in seconds since 1970; 0 if not set. */
  readonly modificationTime: number;
  readonly extraFlags: number;
  /** Operating system, such as 3 for Unix or 255 for unknown. */
  readonly operatingSystem: number;
  readonly extraBytes: number | undefined;
  /** File name and comment (FNAME and FCOMMENT) as Latin-1, without the terminating zero. */
  readonly fileName: string | undefined;
  readonly comment: string | undefined;
  /** Header CRC (FHCRC): the low 16 bits of the CRC-32 of the preceding header bytes. */
  readonly headerCrc: { readonly stored: number; readonly computed: number } | undefined;
}

/** Gzip header, or the finding that explains why the header is unusable. */
export type GzipHeaderReading =
  | { readonly header: GzipHeader; readonly findings: readonly Finding[] }
  | { readonly header: undefined; readonly findings: readonly Finding[] };

/** Returns true if the bytes begin with the gzip magic that eboot and the Updater check (`copy_raw` in `eboot.c`). */
export function looksLikeGzip(bytes: Uint8Array, offset = 0): boolean {
  return bytes[offset] === 0x1f && bytes[offset + 1] === 0x8b;
}

/**
 * Reads the member header at `offset`, which must begin with the two magic bytes. Like `uzlib_gzip_parse_header` in eboot, rejects
 * methods other than deflate, and reserved flags.
 */
export function readGzipHeader(bytes: Uint8Array, offset: number): GzipHeaderReading {
  const [, , method, flags, , , , , extraFlags, operatingSystem] = bytes.subarray(offset, offset + fixedHeaderBytes);
  const modificationTime = wordAt(bytes, offset + 4);
  if (method === undefined || flags === undefined || modificationTime === undefined) return truncated(bytes);
  if (extraFlags === undefined || operatingSystem === undefined) return truncated(bytes);
  if (method !== deflateMethod) {
    return refused({
      id: 'gzip-method-unknown',
      message: `compression method ${method} is not deflate (8)`,
      offset: offset + 2,
    });
  }
  if ((flags & flagBits.reserved) !== 0) {
    const message = `reserved gzip flags are set (0x${flags.toString(16)}): eboot rejects such a header`;
    return refused({ id: 'gzip-reserved-flags', message, offset: offset + 3 });
  }

  const fields = readOptionalFields(bytes, offset, flags);
  if (fields === undefined) return truncated(bytes);
  const { endOffset, headerCrc } = fields;
  const header: GzipHeader = {
    sizeBytes: endOffset - offset,
    flags,
    modificationTime,
    extraFlags,
    operatingSystem,
    extraBytes: fields.extraBytes,
    fileName: fields.fileName,
    comment: fields.comment,
    headerCrc,
  };
  if (headerCrc === undefined || headerCrc.stored === headerCrc.computed) return { header, findings: [] };
  const message = 'the CRC of the gzip header does not match';
  return { header, findings: [{ id: 'gzip-header-crc-mismatch', message, offset: endOffset - 2 }] };
}

interface OptionalFields {
  readonly endOffset: number;
  readonly extraBytes: number | undefined;
  readonly fileName: string | undefined;
  readonly comment: string | undefined;
  readonly headerCrc: GzipHeader['headerCrc'];
}

/** Reads FEXTRA, FNAME, FCOMMENT and FHCRC in the order of RFC 1952. Returns undefined if the bytes end within a field. */
function readOptionalFields(bytes: Uint8Array, offset: number, flags: number): OptionalFields | undefined {
  let position = offset + fixedHeaderBytes;
  let extraBytes: number | undefined;
  if (flags & flagBits.extra) {
    extraBytes = halfWordAt(bytes, position);
    if (extraBytes === undefined) return undefined;
    position += 2 + extraBytes;
    if (position > bytes.length) return undefined;
  }
  const texts: Partial<Record<'fileName' | 'comment', string>> = {};
  for (const field of ['fileName', 'comment'] as const) {
    if ((flags & flagBits[field]) === 0) continue;
    const end = bytes.indexOf(0, position);
    if (end === -1) return undefined;
    texts[field] = Buffer.from(bytes.subarray(position, end)).toString('latin1');
    position = end + 1;
  }
  let headerCrc: GzipHeader['headerCrc'];
  if (flags & flagBits.headerCrc) {
    const stored = halfWordAt(bytes, position);
    if (stored === undefined) return undefined;
    headerCrc = { stored, computed: crc32(bytes.subarray(offset, position)) & 0xffff };
    position += 2;
  }
  return { endOffset: position, extraBytes, fileName: texts.fileName, comment: texts.comment, headerCrc };
}

function truncated(bytes: Uint8Array): GzipHeaderReading {
  return refused({
    id: 'gzip-header-truncated',
    message: 'the file ends within the gzip header',
    offset: bytes.length,
  });
}

function refused(finding: Finding): GzipHeaderReading {
  return { header: undefined, findings: [finding] };
}
