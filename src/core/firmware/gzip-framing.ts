import { crc32, inflateRawSync } from 'node:zlib';
import type { Finding, FindingId, Reading } from './finding.ts';
import { type GzipHeader, looksLikeGzip, readGzipHeader } from './gzip-header.ts';
import { hexWord, wordAt } from './little-endian.ts';

/** Gzip member: header, deflate stream, CRC-32 and ISIZE. */
export interface GzipMember {
  readonly offset: number;
  readonly header: GzipHeader;
  readonly deflateBytes: number;
  readonly inflatedBytes: number;
  /** Offset of the end of the member, after the ISIZE word. */
  readonly endOffset: number;
  readonly storedCrc: number;
  readonly computedCrc: number;
  /** Last word of the member: the uncompressed size modulo 2^32. */
  readonly isize: number;
}

/** Structure of a gzip file, without a signature that follows it. */
export interface GzipFraming {
  readonly firstHeader: GzipHeader | undefined;
  /** Complete members. eboot inflates only the first member. */
  readonly members: readonly GzipMember[];
  /** End of the last complete member; undefined if the first member is incomplete. */
  readonly endOffset: number | undefined;
}

/** Gzip member and its inflated content. */
interface MemberReading {
  readonly header: GzipHeader | undefined;
  readonly member: GzipMember | undefined;
  readonly inflated: Uint8Array;
  readonly findings: readonly Finding[];
}

/** Structure of a gzip file, and the inflated content of the first member. The content is empty if inflating fails. */
export interface GunzippedFile {
  readonly framing: GzipFraming;
  readonly content: Uint8Array;
}

// Maximum number of members to read. A gzip file can contain many 20-byte members, but devices support only one member.
const mostMembers = 16;
const trailerBytes = 8;
const nothing = new Uint8Array(0);

/**
 * Reads a file that begins with the gzip magic. ISIZE is not used to allocate memory, and the inflated content is limited to
 * `maxContentBytes`.
 *
 * node:zlib is the fastest inflater in Node.js and returns the number of bytes that it consumed. This number locates a signature after
 * the member.
 */
export function readGzip(file: Uint8Array, maxContentBytes: number): Reading<GunzippedFile> {
  const first = readMember(file, 0, maxContentBytes);
  const members = first.member === undefined ? [] : [first.member];
  const findings: Finding[] = [...first.findings];

  // The size limit applies to all members together. Otherwise, many highly compressed members could exhaust the memory.
  let budgetBytes = maxContentBytes - first.inflated.length;
  let last = first.member;
  while (last !== undefined && members.length < mostMembers && looksLikeGzip(file, last.endOffset)) {
    // A signature can begin with the gzip magic, so data that is not a valid member ends the search.
    const next: GzipMember | undefined = readMember(file, last.endOffset, budgetBytes).member;
    if (next === undefined || next.storedCrc !== next.computedCrc) break;
    members.push(next);
    budgetBytes -= next.inflatedBytes;
    last = next;
  }
  const second = members[1];
  if (second !== undefined) {
    const message = `the file has ${members.length} gzip members, but eboot supports one and writes corrupt data`;
    findings.push({ id: 'gzip-second-member', message, offset: second.offset });
  }
  return {
    value: { framing: { firstHeader: first.header, members, endOffset: last?.endOffset }, content: first.inflated },
    findings,
  };
}

function readMember(file: Uint8Array, offset: number, maxContentBytes: number): MemberReading {
  const { header, findings } = readGzipHeader(file, offset);
  if (header === undefined) return { header, member: undefined, inflated: nothing, findings };
  const deflateOffset = offset + header.sizeBytes;
  const result = inflate(file.subarray(deflateOffset), maxContentBytes);
  if (result.inflated === undefined) {
    return {
      header,
      member: undefined,
      inflated: nothing,
      findings: [...findings, { ...result.finding, offset: deflateOffset }],
    };
  }

  const { inflated, consumedBytes } = result;
  const endOffset = deflateOffset + consumedBytes + trailerBytes;
  const storedCrc = wordAt(file, endOffset - 8);
  const isize = wordAt(file, endOffset - 4);
  if (storedCrc === undefined || isize === undefined) {
    const finding: Finding = {
      id: 'gzip-truncated',
      message: 'the gzip file ends before its CRC and size',
      offset: file.length,
    };
    return { header, member: undefined, inflated, findings: [...findings, finding] };
  }
  const member: GzipMember = {
    offset,
    header,
    deflateBytes: consumedBytes,
    inflatedBytes: inflated.length,
    endOffset,
    storedCrc,
    computedCrc: crc32(inflated),
    isize,
  };
  return { header, member, inflated, findings: [...findings, ...sumFindings(member)] };
}

function sumFindings(member: GzipMember): readonly Finding[] {
  const { storedCrc, computedCrc, isize, inflatedBytes, endOffset } = member;
  const findings: Finding[] = [];
  if (storedCrc !== computedCrc) {
    const message = `the gzip CRC is ${hexWord(storedCrc)}, but it should be ${hexWord(computedCrc)}`;
    findings.push({ id: 'gzip-crc-mismatch', message, offset: endOffset - 8 });
  }
  if (isize !== inflatedBytes) {
    const message = `the gzip size field is ${isize}, but the content has ${inflatedBytes} bytes: eboot writes ${isize} bytes`;
    findings.push({ id: 'gzip-size-mismatch', message, offset: endOffset - 4 });
  }
  return findings;
}

type Inflation =
  | { readonly inflated: Uint8Array; readonly consumedBytes: number }
  | { readonly inflated: undefined; readonly finding: Finding };

function inflate(deflated: Uint8Array, maxContentBytes: number): Inflation {
  const options = { info: true, maxOutputLength: Math.max(1, maxContentBytes), chunkSize: 64 * 1024 };
  try {
    // With the option `info`, the function returns the buffer and its engine. @types/node does not declare this result.
    const result = inflateRawSync(deflated, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return { inflated: result.buffer, consumedBytes: result.engine.bytesWritten };
  } catch (error) {
    return { inflated: undefined, finding: inflateFinding(codeOf(error), maxContentBytes) };
  }
}

function inflateFinding(code: unknown, maxContentBytes: number): Finding {
  const [id, message]: readonly [FindingId, string] =
    code === 'ERR_BUFFER_TOO_LARGE'
      ? ['gzip-too-large', `the gzip content is larger than ${maxContentBytes} bytes, the largest possible flash`]
      : code === 'Z_BUF_ERROR'
        ? ['gzip-truncated', 'the gzip file ends within its content']
        : ['gzip-corrupt', 'the gzip content is corrupt'];
  return { id, message };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
