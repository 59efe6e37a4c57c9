import type { Finding, Reading } from './finding.ts';
import { type FlashHeader, readFlashHeader } from './flash-header.ts';
import { hexWord, wordAt } from './little-endian.ts';
import { memoryAt, type SegmentMemory } from './memory-map.ts';

/** First byte of the headers of eboot and the application (`_verifyHeader` in `Updater.cpp`). */
export const imageMagic = 0xe9;

const imageHeaderBytes = 8;
const segmentHeaderBytes = 8;
const checksumSeed = 0xef;

/** Segment of an image: `sizeBytes` bytes at `offset` in the file, loaded at `address`. */
export interface Segment {
  readonly address: number;
  readonly sizeBytes: number;
  /** Offset of the first byte after the segment header. */
  readonly offset: number;
  readonly memory: SegmentMemory;
}

/** Checksum in the last byte of an image: 0xEF xor all bytes of the image's segments. */
export interface ImageChecksum {
  readonly offset: number;
  readonly stored: number;
  readonly computed: number;
  readonly matches: boolean;
}

/** Header of eboot at offset 0 or of the application at 0x1000, the two images in an Arduino .bin (`write_bin` in `elf2bin.py`). */
export interface ImageHeader {
  readonly offset: number;
  readonly segmentCount: number;
  readonly modeByte: number;
  readonly sizeAndFrequencyByte: number;
  readonly flash: FlashHeader;
  readonly entryAddress: number;
  /** Segments that could be read. For fewer segments than `segmentCount`, a finding explains the reason. */
  readonly segments: readonly Segment[];
  /** End of the image: the 16-byte boundary after the checksum. Undefined if the end is unknown or past the end of the file. */
  readonly endOffset: number | undefined;
  readonly checksum: ImageChecksum | undefined;
}

/** Parameters of {@link readImageHeader}. */
export interface ImageContext {
  /** Name of the image in messages: 'eboot' or 'application'. */
  readonly name: string;
  readonly offset: number;
  /** Offsets of words that elf2bin fills in after it computes the checksum. The checksum treats these words as zero. */
  readonly zeroedWords: readonly number[];
}

/** Reads the image header at `context.offset`. The result is undefined if the header is incomplete. */
export function readImageHeader(bytes: Uint8Array, context: ImageContext): Reading<ImageHeader | undefined> {
  const { offset, name } = context;
  const entryAddress = wordAt(bytes, offset + 4);
  const [, segmentCount, modeByte, sizeAndFrequencyByte] = bytes.subarray(offset, offset + 4);
  if (entryAddress === undefined || segmentCount === undefined) return { value: undefined, findings: [] };
  // The mode byte and the size byte exist, because the word at offset 4 exists.
  const mode = modeByte ?? 0;
  const sizeAndFrequency = sizeAndFrequencyByte ?? 0;

  const table = readSegments(bytes, offset + imageHeaderBytes, segmentCount, name);
  const end = table.endOffset === undefined ? undefined : readEnd(bytes, table.endOffset, table.segments, context);
  return {
    value: {
      offset,
      segmentCount,
      modeByte: mode,
      sizeAndFrequencyByte: sizeAndFrequency,
      flash: readFlashHeader(mode, sizeAndFrequency),
      entryAddress,
      segments: table.segments,
      endOffset: end?.endOffset,
      checksum: end?.checksum,
    },
    findings: [...table.findings, ...(end?.findings ?? [])],
  };
}

/**
 * Returns the end of the image at `offset` according to its segment table. Returns undefined if the end is not within the file. No
 * checksum is computed.
 */
export function findImageEnd(bytes: Uint8Array, offset: number): number | undefined {
  const count = bytes[offset + 1];
  if (bytes[offset] !== imageMagic || count === undefined) return undefined;
  const { endOffset } = readSegments(bytes, offset + imageHeaderBytes, count, 'image');
  const end = endOffset === undefined ? undefined : imageEnd(endOffset, offset);
  return end === undefined || end > bytes.length ? undefined : end;
}

interface SegmentTable {
  readonly segments: readonly Segment[];
  /** End of the last segment; undefined if the segment table is incomplete. */
  readonly endOffset: number | undefined;
  readonly findings: readonly Finding[];
}

/** Reads the segment table like `EspClass::getSketchSize` (`Esp.cpp`), with additional bounds checks. */
function readSegments(bytes: Uint8Array, tableOffset: number, count: number, name: string): SegmentTable {
  if (count === 0) {
    const finding: Finding = { id: 'no-segments', message: `the ${name} has no segments`, offset: tableOffset };
    return { segments: [], endOffset: undefined, findings: [finding] };
  }
  const segments: Segment[] = [];
  let position = tableOffset;
  for (let index = 0; index < count; index += 1) {
    const address = wordAt(bytes, position);
    const sizeBytes = wordAt(bytes, position + 4);
    if (address === undefined || sizeBytes === undefined) {
      const message = `the header of the ${name} lists ${count} segments, but the file ends before segment ${index + 1} starts`;
      const finding: Finding = { id: 'segment-header-truncated', message, offset: position };
      return { segments, endOffset: undefined, findings: [finding] };
    }
    const offset = position + segmentHeaderBytes;
    const missing = offset + sizeBytes - bytes.length;
    if (missing > 0) {
      const message = `segment ${index + 1} of the ${name} (${sizeBytes} bytes at ${hexWord(address)}) ends ${missing} bytes after the file`;
      const finding: Finding = { id: 'segment-past-end', message, offset: position };
      return { segments, endOffset: undefined, findings: [finding] };
    }
    segments.push({ address, sizeBytes, offset, memory: memoryAt(address) });
    position = offset + sizeBytes;
  }
  return { segments, endOffset: position, findings: [] };
}

interface ImageEnd {
  readonly endOffset: number | undefined;
  readonly checksum: ImageChecksum | undefined;
  readonly findings: readonly Finding[];
}

function readEnd(
  bytes: Uint8Array,
  segmentsEnd: number,
  segments: readonly Segment[],
  context: ImageContext,
): ImageEnd {
  const { name, offset } = context;
  const endOffset = imageEnd(segmentsEnd, offset);
  const stored = bytes[endOffset - 1];
  if (stored === undefined) {
    const message = `the ${name} ends before its checksum: ${endOffset - bytes.length} bytes are missing`;
    return {
      endOffset: undefined,
      checksum: undefined,
      findings: [{ id: 'image-truncated', message, offset: bytes.length }],
    };
  }
  const computed = checksumOf(bytes, segments, context.zeroedWords);
  const checksum = { offset: endOffset - 1, stored, computed, matches: stored === computed };
  if (checksum.matches) return { endOffset, checksum, findings: [] };
  const message = `the checksum of the ${name} is ${hexByte(stored)}, but it should be ${hexByte(computed)}`;
  const id = name === 'eboot' ? 'eboot-checksum-mismatch' : 'checksum-mismatch';
  return { endOffset, checksum, findings: [{ id, message, offset: endOffset - 1 }] };
}

/** Computes the end of an image. The checksum is the last byte of a 16-byte block, counted from the start of the image. */
function imageEnd(segmentsEnd: number, imageOffset: number): number {
  return imageOffset + (Math.floor((segmentsEnd - imageOffset) / 16) + 1) * 16;
}

function checksumOf(bytes: Uint8Array, segments: readonly Segment[], zeroedWords: readonly number[]): number {
  let sum = checksumSeed;
  for (const { offset, sizeBytes } of segments) {
    sum ^= xorOf(bytes.subarray(offset, offset + sizeBytes));
    for (const word of zeroedWords) {
      // A second xor with a byte cancels the byte's effect on the checksum.
      for (let at = Math.max(word, offset); at < Math.min(word + 4, offset + sizeBytes); at += 1) sum ^= bytes[at] ?? 0;
    }
  }
  return sum;
}

/** Computes the xor of all bytes. Aligned bytes are read four at a time, because the segments can total almost 1 MB. */
function xorOf(bytes: Uint8Array): number {
  const head = Math.min((4 - (bytes.byteOffset % 4)) % 4, bytes.length);
  const words = Math.floor((bytes.length - head) / 4);
  // An Int32Array must begin at an aligned offset, even if it is empty. A range of fewer than four bytes may contain no aligned offset.
  const sum = words === 0 ? 0 : xorOfWords(new Int32Array(bytes.buffer, bytes.byteOffset + head, words));
  return xorOfBytes(bytes.subarray(0, head)) ^ sum ^ xorOfBytes(bytes.subarray(head + words * 4));
}

function xorOfWords(words: Int32Array): number {
  let sum = 0;
  for (const word of words) sum ^= word;
  return (sum ^ (sum >>> 8) ^ (sum >>> 16) ^ (sum >>> 24)) & 0xff;
}

function xorOfBytes(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum ^= byte;
  return sum;
}

function hexByte(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}
