import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { isBelow, realPathOf } from '../../files/real-path.ts';
import { readInside } from './source-commit.ts';

/** Size of an index with a million objects, more than any firmware project has. */
const largestIndexBytes = 32 * 1024 * 1024;
const longestTagBytes = 64 * 1024;

/**
 * Returns the commits of annotated tags whose objects are in pack files, by the ID of the tag. `git fetch` keeps the objects in a pack and
 * writes the tag into a file of its own. A tag that git stored as a difference from another object is not recognized.
 *
 * @param commonFolder `.git` folder with the objects
 */
export function packedTags(commonFolder: string, ids: readonly string[]): ReadonlyMap<string, string> {
  const commits = new Map<string, string>();
  for (const name of ids.length === 0 ? [] : packNames(commonFolder)) {
    const index = readInside(commonFolder, `objects/pack/${name}.idx`, largestIndexBytes);
    for (const id of ids) {
      const offset = index && offsetOf(id, index);
      const object = offset === undefined ? undefined : readTag(join(commonFolder, 'objects', 'pack'), name, offset);
      const commit = /^object ([0-9a-f]+)\ntype commit\n/.exec(object ?? '')?.[1];
      if (commit !== undefined) commits.set(id, commit);
    }
  }
  return commits;
}

function packNames(commonFolder: string): readonly string[] {
  try {
    const names = readdirSync(join(commonFolder, 'objects', 'pack'));
    return names.filter((name) => name.endsWith('.idx')).map((name) => name.slice(0, -'.idx'.length));
  } catch {
    return [];
  }
}

const headerBytes = 8;
const firstBytes = 256;

/** Returns the offset of an object in the pack, from an index of version 2 (git's gitformat-pack). */
function offsetOf(id: string, index: Buffer): number | undefined {
  const wanted = Buffer.from(id, 'hex');
  const namesAt = headerBytes + firstBytes * 4;
  if (index.length < namesAt || index.readUInt32BE(0) !== 0xff744f63 || index.readUInt32BE(4) !== 2) return undefined;
  const upTo = (first: number) => (first < 0 ? 0 : index.readUInt32BE(headerBytes + first * 4));
  const [first = 0] = wanted;
  const count = upTo(firstBytes - 1);
  for (let at = upTo(first - 1); at < upTo(first); at += 1) {
    const nameAt = namesAt + at * wanted.length;
    if (nameAt >= index.length) return undefined;
    if (!index.subarray(nameAt, nameAt + wanted.length).equals(wanted)) continue;
    const offsetAt = namesAt + count * (wanted.length + 4) + at * 4;
    return offsetAt + 4 > index.length ? undefined : index.readUInt32BE(offsetAt);
  }
  return undefined;
}

/** Type of a tag in the first byte of an object. */
const tagType = 4;

function readTag(folder: string, name: string, offset: number): string | undefined {
  const path = join(folder, `${name}.pack`);
  // A symbolic link could point to any of the user's files.
  if (!isBelow(realPathOf(path), folder)) return undefined;
  try {
    // Opening a FIFO would wait for a writer.
    if (!statSync(path).isFile()) return undefined;
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(longestTagBytes);
      const entry = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset));
      const lastOfHeader = entry.findIndex((byte) => byte < 0x80);
      if ((((entry[0] ?? 0) >> 4) & 7) !== tagType) return undefined;
      return inflateSync(entry.subarray(lastOfHeader + 1), { maxOutputLength: longestTagBytes }).toString('latin1');
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
