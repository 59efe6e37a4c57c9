import { crc32, inflateRawSync } from 'node:zlib';
import type { Finding, FindingId, Reading } from './finding.ts';
import { type GzipHeader, looksLikeGzip, readGzipHeader } from './gzip-header.ts';
import { hexWord, wordAt } from './little-endian.ts';

/** One member: header, deflate stream, CRC-32 and ISIZE. */
export interface GzipMember {
  readonly offset: number;
  readonly header: GzipHeader;
  readonly deflateBytes: number;
  readonly inflatedBytes: number;
  /** After the ISIZE word. */
  readonly endOffset: number;
  readonly storedCrc: number;
  readonly computedCrc: number;
  /** The last word of the member: the inflated size modulo 2^32. */
  readonly isize: number;
}

/** How a gzip file is built up, apart from a signature behind it. */
export interface GzipFraming {
  readonly firstHeader: GzipHeader | undefined;
  /** Those that could be read whole. eboot reads the first one only. */
  readonly members: readonly GzipMember[];
  /** After the last member that could be read whole; undefined when the first could not. */
  readonly endOffset: number | undefined;
}

/** A member and what it inflates to. */
interface MemberReading {
  readonly header: GzipHeader | undefined;
  readonly member: GzipMember | undefined;
  readonly inflated: Uint8Array;
  readonly findings: readonly Finding[];
}

/** The framing, and what the first member inflates to (empty when it does not). */
export interface GunzippedFile {
  readonly framing: GzipFraming;
  readonly content: Uint8Array;
}

// A gzip file can be cut into members of 20 bytes. No device reads a second one, so counting a few of them is enough.
const mostMembers = 16;
const trailerBytes = 8;
const nothing = new Uint8Array(0);

/**
 * Reads a file that begins with the gzip magic. Nothing is allocated by what ISIZE says; no member inflates to more
 * than `maxContentBytes`.
 *
 * node:zlib does the inflating: it is the fastest there is in Node, says how much input it took (which tells where a
 * signature begins), and stops at `maxOutputLength`. That its *compressed* output differs between builds of Node, for
 * which fflate is used elsewhere, does not matter here: there is only one right answer to inflating.
 */
export function readGzip(file: Uint8Array, maxContentBytes: number): Reading<GunzippedFile> {
  const first = readMember(file, 0, maxContentBytes);
  const members = first.member === undefined ? [] : [first.member];
  const findings: Finding[] = [...first.findings];

  // All members together stay within the bound, or a file of bombs would fill the memory one after the other.
  let budgetBytes = maxContentBytes - first.inflated.length;
  let last = first.member;
  while (last !== undefined && members.length < mostMembers && looksLikeGzip(file, last.endOffset)) {
    // A signature may begin with these two bytes as well, so what cannot be read as a member is not one.
    const next: GzipMember | undefined = readMember(file, last.endOffset, budgetBytes).member;
    if (next === undefined || next.storedCrc !== next.computedCrc) break;
    members.push(next);
    budgetBytes -= next.inflatedBytes;
    last = next;
  }
  const second = members[1];
  if (second !== undefined) {
    const message = `${members.length} gzip members follow each other: eboot inflates on after the first and writes garbage`;
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
    const message = `the gzip CRC is ${hexWord(storedCrc)}, but the content gives ${hexWord(computedCrc)}`;
    findings.push({ id: 'gzip-crc-mismatch', message, offset: endOffset - 8 });
  }
  if (isize !== inflatedBytes) {
    const message = `gzip announces ${isize} bytes and holds ${inflatedBytes}: eboot writes as many as are announced`;
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
    // With `info` the function gives the buffer and its engine, which @types/node does not know.
    const result = inflateRawSync(deflated, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return { inflated: result.buffer, consumedBytes: result.engine.bytesWritten };
  } catch (error) {
    return { inflated: undefined, finding: inflateFinding(codeOf(error), maxContentBytes) };
  }
}

function inflateFinding(code: unknown, maxContentBytes: number): Finding {
  const [id, message]: readonly [FindingId, string] =
    code === 'ERR_BUFFER_TOO_LARGE'
      ? ['gzip-too-large', `the gzip content is larger than ${maxContentBytes} bytes, more than any flash holds`]
      : code === 'Z_BUF_ERROR'
        ? ['gzip-truncated', 'the gzip file ends before its content does']
        : ['gzip-corrupt', 'the gzip content is corrupt'];
  return { id, message };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
