import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RsaPublicKey } from '../../src/core/keys/public-key.ts';
import type { Artifact, Manifest } from '../../src/core/model/manifest.ts';
import type { BuildToVerify } from '../../src/server/services/releases/verify-build.ts';
import { syntheticSketch } from '../../src/simulator/synthetic-sketch.ts';
import { rsaKeyObjects } from '../support/key-pairs.ts';

/** Content that is slow to parse, with about the requested size. */
export const hostileContents: Readonly<Record<string, (sizeBytes: number) => Uint8Array>> = {
  'end markers of private keys': (size) => Buffer.alloc(size, 'PRIVATE KEY-----'),
  'begin markers of private keys': (size) => Buffer.alloc(size, '-----BEGIN PRIVATE KEY-----'),
  'private keys with a Base64 body': (size) => pemBlocks(size, 'RSA PRIVATE KEY', 900),
  'begin lines': (size) => Buffer.alloc(size, '-----BEGIN '),
  'certificates full of look-alikes': (size) => pemBlocks(size, 'CERTIFICATE', 30_000),
  'public keys in Base64': (size) => pemBlocks(size, 'PUBLIC KEY', 300),
  'key look-alikes that reach to the end': (size) => repeated(size, hugeKeys(size)),
  'sequences of 33 KB': (size) => Buffer.alloc(size, Buffer.from('3082', 'hex')),
  'integers of 33 KB': (size) => Buffer.alloc(size, Buffer.from('0282', 'hex')),
  'beginnings of PKCS#1': (size) => Buffer.alloc(size, Buffer.from('0201000282010100', 'hex')),
  'many real keys': (size) => repeated(size, manyKeys()),
  'an ELF with a huge section table': (size) => elfHeader(size),
  'magic bytes of a sketch': (size) => Buffer.alloc(size, 0xe9),
  'a sketch of full size': (size) => syntheticSketch({ seed: 1, sizeBytes: size & ~15 }),
  'a sketch with 255 segments of nothing': (size) => segmentHeaders(size),
  'LittleFS superblocks': (size) => Buffer.alloc(size, superblock()),
  'versions of the SDK': (size) => Buffer.concat([sketchStart(), Buffer.alloc(size, '2.2.2-dev(38a443e)')]),
  'halves of SDK versions': (size) => Buffer.concat([sketchStart(), Buffer.alloc(size, '2.2.2-dev(38a443')]),
  zeros: (size) => Buffer.alloc(size),
  'erased flash': (size) => Buffer.alloc(size, 0xff),
  noise: (size) => randomBytes(size),
};

/** Gzip files that are slow to inflate. Either the file or its content has about the requested size. */
export const hostileGzips: Readonly<Record<string, (sizeBytes: number) => Uint8Array>> = {
  'a bomb': (size) => gzipSync(Buffer.alloc(4 * size), { level: 9 }),
  'a gzip in a gzip': (size) => gzipSync(gzipSync(Buffer.alloc(size))),
  'many members': (size) => Buffer.alloc(size, gzipSync('')),
  'a member whose name does not end': (size) =>
    Buffer.concat([Buffer.from('1f8b0808000000000003', 'hex'), Buffer.alloc(size, 'x')]),
  'dynamic blocks with nothing in them': (size) => emptyBlocks(size),
};

function repeated(sizeBytes: number, unit: Uint8Array): Buffer {
  return Buffer.alloc(sizeBytes, unit);
}

function pemBlocks(sizeBytes: number, label: string, bodyBytes: number): Buffer {
  const body = hugeKeys(bodyBytes).toString('base64').slice(0, bodyBytes);
  return Buffer.alloc(sizeBytes, `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`);
}

/** Repeated key prefixes. The SEQUENCE, BIT STRING and INTEGER elements each declare half of the buffer size as their length. */
function hugeKeys(sizeBytes: number): Buffer {
  const long = (tag: number) =>
    Buffer.from([tag, 0x83, (sizeBytes >> 17) & 0xff, (sizeBytes >> 9) & 0xff, (sizeBytes >> 1) & 0xff]);
  const algorithm = Buffer.from('300d06092a864886f70d0101010500', 'hex');
  const unit = Buffer.concat([long(0x30), algorithm, long(0x03), Buffer.of(0), long(0x30), long(0x02)]);
  return Buffer.alloc(sizeBytes, unit);
}

function manyKeys(): Buffer {
  const keys = Array.from({ length: 40 }, () => rsaKeyObjects().publicKey.export({ type: 'spki', format: 'der' }));
  return Buffer.concat(keys);
}

function elfHeader(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes, Buffer.from('0100000002000000', 'hex'));
  Buffer.from('7f454c46010101', 'hex').copy(bytes);
  bytes.writeUInt16LE(94, 18);
  bytes.writeUInt32LE(52, 32);
  bytes.writeUInt16LE(40, 46);
  bytes.writeUInt16LE(0xffff, 48);
  return bytes;
}

function sketchStart(): Buffer {
  return Buffer.from(syntheticSketch({ seed: 1, sizeBytes: 8192 }));
}

function segmentHeaders(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes, Buffer.from('0000104000000000', 'hex'));
  for (const offset of [0, 4096]) Buffer.from('e9ff0040', 'hex').copy(bytes, offset);
  return bytes;
}

function superblock(): Buffer {
  const block = Buffer.alloc(4096, 0x11);
  block.writeUInt32LE(1, 0);
  block.write('littlefs', 8, 'latin1');
  block.writeUInt32LE(0x20000, 20);
  block.writeUInt32LE(4096, 24);
  block.writeUInt32LE(256, 28);
  return block;
}

/** Deflate blocks without content. Each block has its own Huffman code that zlib must build (RFC 1951). */
function emptyBlocks(sizeBytes: number): Buffer {
  const bits: number[] = [];
  const put = (value: number, count: number) => {
    for (let bit = 0; bit < count; bit++) bits.push((value >> bit) & 1);
  };
  const codeLengths = new Map([
    [18, 1],
    [1, 2],
    [0, 2],
  ]);
  const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1];
  // Every group of eight blocks ends on a byte boundary.
  for (let block = 0; block < 8; block++) {
    put(0b100, 3);
    put(0, 5);
    put(0, 5);
    put(order.length - 4, 4);
    for (const symbol of order) put(codeLengths.get(symbol) ?? 0, 3);
    // Code lengths: 138 zeros, 118 zeros, length 1 for end of block and for one distance. The end-of-block symbol follows.
    for (const [code, count] of [
      [0, 1],
      [138 - 11, 7],
      [0, 1],
      [118 - 11, 7],
      [3, 2],
      [3, 2],
      [0, 1],
    ] as const)
      put(code, count);
  }
  const unit = Buffer.from(
    Array.from({ length: bits.length / 8 }, (_, at) =>
      bits.slice(8 * at, 8 * at + 8).reduce((sum, bit, place) => sum | (bit << place), 0),
    ),
  );
  // The stream ends with a stored block of one byte. The CRC and the size in the trailer match this byte.
  const end = Buffer.from('01' + '0100feff' + '41', 'hex');
  const header = Buffer.from('1f8b0800000000000003', 'hex');
  const trailer = gzipSync('A').subarray(-8);
  return Buffer.concat([header, Buffer.alloc(Math.floor(sizeBytes / unit.length) * unit.length, unit), end, trailer]);
}

/** Verification request for a build with these files. The first file is the image. */
export async function questionOf(
  folder: string,
  { key, like, files }: { readonly key: RsaPublicKey; readonly like: Manifest; readonly files: readonly Uint8Array[] },
): Promise<BuildToVerify> {
  const blobs = new Map<string, string>();
  const artifacts: Artifact[] = [];
  for (const [index, bytes] of files.entries()) {
    const digest = (name: string) => createHash(name).update(bytes).digest('hex');
    const encoding = bytes[0] === 0x1f && bytes[1] === 0x8b ? 'gzip' : 'identity';
    const [sha256, md5, sizeBytes] = [digest('sha256'), digest('md5'), bytes.length];
    artifacts.push({
      file: `${index}.bin`,
      encoding,
      signature: 'none',
      sizeBytes,
      payloadBytes: sizeBytes,
      md5,
      sha256,
    });
    blobs.set(sha256, join(folder, sha256));
    await writeFile(join(folder, sha256), bytes);
  }
  const [first] = artifacts;
  if (first === undefined) throw new Error('a build of no files');
  const { file, encoding, sizeBytes, md5, sha256 } = first;
  const image = { ...like.image, file, encoding, sizeBytes, md5, sha256 };
  return { manifest: { ...like, image, artifacts }, blobs, key, projectKeys: [key] };
}
