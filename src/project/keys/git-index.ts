import { createHash } from 'node:crypto';

/** Content of a git index (gitformat-index, versions 2 to 4, SHA-1 and SHA-256). */
export interface GitIndex {
  /**
   * Paths relative to the work tree root, one character per byte, as stored by git. A path with a trailing slash is a folder of a sparse
   * index, whose files are tracked but not listed. An empty path replaces an entry of the shared index in a split index.
   */
  readonly paths: readonly string[];
  /** Shared index, if this index is a split index. */
  readonly base: SharedIndex | undefined;
}

/** Shared index of a split index, and the entries that the split index removes. */
export interface SharedIndex {
  /** Suffix of the shared index's file name after `sharedindex.`. */
  readonly id: string;
  /** Returns true if the split index removes the shared index entry at this position. */
  readonly isDropped: (position: number) => boolean;
}

const hashes = [
  { name: 'sha1', sizeBytes: 20 },
  { name: 'sha256', sizeBytes: 32 },
] as const;

const headerBytes = 12;
/** Size of an entry's fields before the object ID: times, device, inode, mode, owner, size. */
const statBytes = 40;
const modeOffset = 24;
const extensionHeaderBytes = 8;

/** Maximum length of a path, above the limits of all operating systems. */
const longestPathBytes = 32_768;

/** Maximum total length of all paths. Path prefixes in version 4 could otherwise let a small index use up all memory. */
const mostPathBytes = 128 * 1024 * 1024;

/** Modes of the four types of entries: file, symbolic link, submodule, folder in a sparse index. */
const knownModes = [0o100644, 0o100755, 0o120000, 0o160000, 0o040000];

/** Reads an index. Returns undefined if the index is damaged, or has an unsupported version or extension. */
export function readGitIndex(bytes: Buffer): GitIndex | undefined {
  const candidates = objectIdSizes(bytes).flatMap((idBytes) => readWith(idBytes, bytes) ?? []);
  return candidates.length === 1 ? candidates[0] : undefined;
}

/**
 * Returns the possible object ID sizes. The checksum at the end of the index reveals the hash function. With `index.skipHash`, the
 * checksum is all zeros, and both sizes are possible.
 */
function objectIdSizes(bytes: Buffer): readonly number[] {
  const isIntact = ({ name, sizeBytes }: (typeof hashes)[number]) => {
    const end = bytes.length - sizeBytes;
    if (end < headerBytes) return false;
    return createHash(name).update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end));
  };
  const intact = hashes.find(isIntact);
  if (intact !== undefined) return [intact.sizeBytes];
  const isZero = (sizeBytes: number) =>
    bytes.length >= headerBytes + sizeBytes && bytes.subarray(-sizeBytes).every((byte) => byte === 0);
  return hashes.map(({ sizeBytes }) => sizeBytes).filter(isZero);
}

function readWith(idBytes: number, bytes: Buffer): GitIndex | undefined {
  try {
    const content = bytes.subarray(0, bytes.length - idBytes);
    const entries = readEntries(idBytes, content);
    const base = entries === undefined ? undefined : readExtensions(idBytes, content.subarray(entries.end));
    return entries === undefined || base === undefined
      ? undefined
      : { paths: entries.paths, base: base === 'none' ? undefined : base };
  } catch (error) {
    // A read past the end means that the index is truncated.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readEntries(idBytes: number, content: Buffer): { paths: string[]; end: number } | undefined {
  const version = content.readUInt32BE(4);
  const count = content.readUInt32BE(8);
  if (content.toString('latin1', 0, 4) !== 'DIRC' || version < 2 || version > 4) return undefined;
  const paths: string[] = [];
  let at = headerBytes;
  let pathBytes = 0;
  for (let left = count; left > 0; left--) {
    const entry = readEntry(version, idBytes, content, at, paths.at(-1) ?? '');
    pathBytes += entry?.path.length ?? 0;
    if (entry === undefined || pathBytes > mostPathBytes) return undefined;
    paths.push(entry.path);
    at = entry.end;
  }
  return { paths, end: at };
}

function readEntry(
  version: number,
  idBytes: number,
  content: Buffer,
  start: number,
  previous: string,
): { path: string; end: number } | undefined {
  const flagsAt = start + statBytes + idBytes;
  const flags = content.readUInt16BE(flagsAt);
  const isExtended = (flags & 0x4000) !== 0;
  if (!knownModes.includes(content.readUInt32BE(start + modeOffset)) || (isExtended && version === 2)) return undefined;
  let at = flagsAt + (isExtended ? 4 : 2);
  let prefix = '';
  if (version === 4) {
    const removed = readOffset(content, at);
    if (removed.value > previous.length) return undefined;
    prefix = previous.slice(0, previous.length - removed.value);
    at = removed.end;
  }
  const pathEnd = content.indexOf(0, at);
  if (pathEnd === -1 || prefix.length + pathEnd - at > longestPathBytes) return undefined;
  const path = prefix + content.toString('latin1', at, pathEnd);
  // Length field of 12 bits. All bits are set if the path is longer.
  if (Math.min(path.length, 0xfff) !== (flags & 0xfff)) return undefined;
  // Versions 2 and 3 pad an entry with 1 to 8 zeros to a multiple of 8 bytes.
  const end = version === 4 ? pathEnd + 1 : start + (((pathEnd - start + 8) >> 3) << 3);
  return end > content.length ? undefined : { path, end };
}

/** Reads a variable-length number in version 4, encoded like a pack offset (`decode_varint`). */
function readOffset(content: Buffer, start: number): { value: number; end: number } {
  let at = start;
  let byte = content.readUInt8(at++);
  let value = byte & 0x7f;
  while ((byte & 0x80) !== 0 && value <= longestPathBytes) {
    byte = content.readUInt8(at++);
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, end: at };
}

/**
 * Reads the extensions. Extensions whose names begin with an uppercase letter are optional. All other extensions must be supported:
 * `link` (split index), which is returned, and `sdir` (sparse index).
 */
function readExtensions(idBytes: number, content: Buffer): SharedIndex | 'none' | undefined {
  let base: SharedIndex | 'none' = 'none';
  for (let at = 0; at < content.length; ) {
    const name = content.toString('latin1', at, at + 4);
    const end = at + extensionHeaderBytes + content.readUInt32BE(at + 4);
    if (end > content.length) return undefined;
    if (name === 'link') base = readLink(idBytes, content.subarray(at + extensionHeaderBytes, end));
    else if (name !== 'sdir' && !/^[A-Z]/.test(name)) return undefined;
    at = end;
  }
  return base;
}

/**
 * Reads the extension `link`. An ID of all zeros means that there is no shared index. Two bitmaps follow the ID. The first bitmap marks
 * the removed entries of the shared index.
 */
function readLink(idBytes: number, data: Buffer): SharedIndex | 'none' {
  const id = data.subarray(0, idBytes);
  if (id.length < idBytes) throw new RangeError('the ID of the shared index is truncated');
  if (id.every((byte) => byte === 0)) return 'none';
  const isDropped = data.length === idBytes ? () => false : bitOf(data.subarray(idBytes));
  return { id: id.toString('hex'), isDropped };
}

/**
 * Returns a function that reads bits from an EWAH bitmap. The bitmap consists of a bit count, a word count and words of 8 bytes. A marker
 * word contains a bit, the number of words that repeat this bit (32 bits), and the number of literal words that follow (31 bits).
 */
function bitOf(bitmap: Buffer): (position: number) => boolean {
  const wordCount = bitmap.readUInt32BE(4);
  const words = bitmap.subarray(8, 8 + wordCount * 8);
  if (words.length < wordCount * 8) throw new RangeError('the bitmap is truncated');
  return (position) => {
    let word = Math.floor(position / 64);
    for (let at = 0; at < wordCount; ) {
      const marker = words.readBigUInt64BE(at * 8);
      const run = Number((marker >> 1n) & 0xffff_ffffn);
      const literals = Number(marker >> 33n);
      if (word < run) return (marker & 1n) === 1n;
      word -= run;
      if (word < literals && at + 1 + word < wordCount) {
        return ((words.readBigUInt64BE((at + 1 + word) * 8) >> BigInt(position % 64)) & 1n) === 1n;
      }
      word -= literals;
      at += 1 + literals;
    }
    return false;
  };
}
