import { constants, deflateRawSync, gunzipSync, gzipSync, inflateRawSync } from 'node:zlib';
import { gzipAsync as zopfli } from '@gfx/zopfli';
import test from 'ava';
import fc from 'fast-check';
import { gzipSync as fflateGzip } from 'fflate';
import { UzlibInflater } from '../../../src/core/device-model/uzlib-inflate.ts';
import { inputBlockBytes } from '../../../src/core/device-model/uzlib-input.ts';
import { concatBytes } from '../../support/image-builder.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { noisyBytes } from './recipes.ts';

const headerBytes = 10;
const trailerBytes = 8;

function inflaterOf(gzip: Uint8Array): UzlibInflater {
  let position = 0;
  return new UzlibInflater((block) => {
    const piece = gzip.subarray(position, position + inputBlockBytes);
    block.set(piece);
    block.fill(0xff, piece.length);
    position += inputBlockBytes;
  });
}

/** Inflates all content in chunks, as eboot does. Returns undefined if uzlib rejects the stream. */
function inflated(gzip: Uint8Array, sizeBytes: number, pieceBytes = 4096): Uint8Array | undefined {
  const inflater = inflaterOf(gzip);
  if (!inflater.parseHeader()) return undefined;
  const output = new Uint8Array(sizeBytes);
  for (let start = 0; start < sizeBytes; start += pieceBytes) {
    if (inflater.inflate(output.subarray(start, start + pieceBytes)) === 'broken') return undefined;
  }
  return output;
}

/** Compares buffers with `equals`, because deepEqual takes 20 ms for 60 KB. */
function isInflatedTo(gzip: Uint8Array, bytes: Uint8Array): boolean {
  return Buffer.compare(inflated(gzip, bytes.length) ?? new Uint8Array(), bytes) === 0;
}

const content = fc
  .record({
    sizeBytes: fc.integer({ min: 1, max: 90_000 }),
    noise: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(),
  })
  .map(({ sizeBytes, noise, seed }) => noisyBytes(sizeBytes, noise, seed));

const zlibOptions = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FILTERED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
  ),
  memLevel: fc.integer({ min: 1, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
});

test('inflates zlib output with every level and strategy in chunks of any size', (t) => {
  fc.assert(
    fc.property(content, zlibOptions, fc.integer({ min: 1, max: 5000 }), (bytes, options, pieceBytes) => {
      const output = inflated(gzipSync(bytes, options), bytes.length, pieceBytes);
      t.is(Buffer.compare(output ?? new Uint8Array(), bytes), 0);
    }),
    propertyRuns(100, 10_000),
  );
});

test('inflates fflate and zopfli output', async (t) => {
  for (const noise of [0, 0.3, 1]) {
    const bytes = noisyBytes(60_000, noise, 7);
    for (let level = 0; level <= 9; level++) {
      // fflate declares the level as a union of ten numbers.
      const gzip = fflateGzip(bytes, { level: level as 0 | 9 });
      t.true(isInflatedTo(gzip, bytes));
    }
    t.true(isInflatedTo(await zopfli(bytes, { numiterations: 1 }), bytes));
  }
});

test('inflates a match at a distance of 32 KB, which zlib never emits', (t) => {
  const block = noisyBytes(32_768, 1, 3);
  // A stored block, then a final block with fixed codes. Its match has length 258 (code 285) and distance 32768 (code 29, 13 bits).
  const stored = concatBytes(Uint8Array.of(0, 0x00, 0x80, 0xff, 0x7f), block);
  const match = bitsOf([[1, 1], [1, 2], reversed(0xc5, 8), reversed(29, 5), [8191, 13], [0, 7]]);
  const deflated = concatBytes(stored, match);
  const bytes = concatBytes(block, block.subarray(0, 258));
  t.is(Buffer.compare(inflateRawSync(deflated), bytes), 0);
  t.true(isInflatedTo(concatBytes(gzipSync(bytes).subarray(0, headerBytes), deflated), bytes));
});

test('inflates empty stored blocks and a stream of many small blocks', (t) => {
  const parts = Array.from({ length: 50 }, (_, index) => noisyBytes(700, index % 2, index + 1));
  const deflated = parts.map((part) => deflateRawSync(part, { finishFlush: constants.Z_SYNC_FLUSH, level: 6 }));
  const bytes = concatBytes(...parts);
  const gzip = concatBytes(gzipSync(bytes).subarray(0, headerBytes), ...deflated, deflateRawSync(new Uint8Array()));
  t.true(isInflatedTo(gzip, bytes));
});

test('skips the file name, comment, extra field and CRC of a gzip header', (t) => {
  const bytes = noisyBytes(5000, 0.5, 5);
  const plain = gzipSync(bytes);
  const text = fc.uint8Array({ maxLength: 6000 }).map((raw) =>
    concatBytes(
      raw.filter((byte) => byte !== 0),
      Uint8Array.of(0),
    ),
  );
  fc.assert(
    fc.property(
      fc.option(text),
      fc.option(text),
      fc.option(fc.uint8Array({ maxLength: 9000 })),
      fc.boolean(),
      (name, comment, extra, hasCrc) => {
        const flags = (hasCrc ? 2 : 0) | (extra ? 4 : 0) | (name ? 8 : 0) | (comment ? 16 : 0);
        const gzip = concatBytes(
          Uint8Array.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3),
          extra ? concatBytes(Uint8Array.of(extra.length & 0xff, extra.length >> 8), extra) : new Uint8Array(),
          name ?? new Uint8Array(),
          comment ?? new Uint8Array(),
          new Uint8Array(hasCrc ? 2 : 0),
          plain.subarray(headerBytes),
        );
        t.true(isInflatedTo(gzip, bytes));
      },
    ),
    propertyRuns(25, 1_000),
  );
});

test('rejects a gzip header that uzlib rejects', (t) => {
  const gzip = gzipSync(Uint8Array.of(1));
  for (const [offset, value] of [
    [0, 0x1e],
    [1, 0x8c],
    [2, 7],
    [3, 0x20],
  ] as const) {
    const changed = Uint8Array.from(gzip);
    changed[offset] = value;
    t.false(inflaterOf(changed).parseHeader());
  }
});

test('reads only the input bytes that the output requires', (t) => {
  fc.assert(
    fc.property(content, zlibOptions, fc.double({ min: 0.01, max: 1, noNaN: true }), (bytes, options, share) => {
      const count = Math.max(1, Math.floor(bytes.length * share));
      const gzip = gzipSync(bytes, { ...options, windowBits: 15 });
      const inflater = inflaterOf(gzip);
      inflater.parseHeader();
      const output = new Uint8Array(count);
      inflater.inflate(output);
      t.is(Buffer.compare(output, bytes.subarray(0, count)), 0);
      const deflated = gzip.subarray(headerBytes, inflater.consumedBytes);
      t.true(sizeOfPrefix(deflated) >= count, 'what was taken is enough');
      t.true(sizeOfPrefix(deflated.subarray(0, -1)) < count, 'a byte less is not');
      t.is(inflater.blocksRead, Math.ceil(inflater.consumedBytes / inputBlockBytes));
    }),
    propertyRuns(100, 10_000),
  );
});

/** Returns the number of bytes that zlib can inflate from the start of a stream. */
function sizeOfPrefix(deflated: Uint8Array): number {
  return deflated.length === 0 ? 0 : inflateRawSync(deflated, { finishFlush: constants.Z_SYNC_FLUSH }).length;
}

test('matches zlib on damaged streams that zlib accepts, and never throws or hangs', (t) => {
  const damage = fc.array(fc.record({ at: fc.nat(), value: fc.nat(255) }), { minLength: 1, maxLength: 4 });
  let accepted = 0;
  fc.assert(
    fc.property(content, zlibOptions, damage, (bytes, options, changes) => {
      const deflated = Uint8Array.from(deflateRawSync(bytes.subarray(0, 3000), options));
      for (const { at, value } of changes) deflated[at % deflated.length] = value;
      const gzip = concatBytes(gzipSync(new Uint8Array()).subarray(0, headerBytes), deflated);
      const expected = zlibSays(deflated);
      const output = inflated(gzip, expected?.length ?? 20_000);
      if (expected === undefined) return;
      accepted++;
      t.is(Buffer.compare(output ?? new Uint8Array(), expected), 0);
    }),
    propertyRuns(600, 50_000),
  );
  t.true(accepted > 20, `${accepted} damaged streams were accepted`);
});

function zlibSays(deflated: Uint8Array): Uint8Array | undefined {
  try {
    return inflateRawSync(deflated);
  } catch {
    return undefined;
  }
}

test('does not throw or hang on random bytes after a gzip header', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9000 }), (noise) => {
      const gzip = concatBytes(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), noise);
      t.notThrows(() => inflated(gzip, 50_000));
    }),
    propertyRuns(150, 10_000),
  );
});

test('limits the length of an unterminated file name in a gzip header', (t) => {
  const inflater = new UzlibInflater((block) => block.fill(0xff).set([0x1f, 0x8b, 8, 8]));
  t.true(inflater.parseHeader());
});

test('does not throw on over-subscribed or incomplete Huffman codes', (t) => {
  // Header fields hlit 257, hdist 1 and hclen 19. All nineteen code length codes are 1 bit long, but only two such codes can exist.
  const overSubscribed = bitsOf([
    [1, 1],
    [2, 2],
    [0, 5],
    [0, 5],
    [15, 4],
    ...Array.from({ length: 19 }, (): Bits => [1, 3]),
  ]);
  const incomplete = bitsOf([
    [1, 1],
    [2, 2],
    [0, 5],
    [0, 5],
    [15, 4],
    [0, 3],
    [0, 3],
    [0, 3],
    [7, 3],
    ...Array.from({ length: 15 }, (): Bits => [0, 3]),
  ]);
  for (const deflated of [overSubscribed, incomplete]) {
    const gzip = concatBytes(gzipSync(new Uint8Array()).subarray(0, headerBytes), deflated, noisyBytes(4096, 1, 9));
    t.throws(() => inflateRawSync(deflated));
    t.notThrows(() => inflated(gzip, 4096));
  }
});

type Bits = readonly [value: number, count: number];

/** Huffman codes are stored with the most significant bit first. */
function reversed(code: number, count: number): Bits {
  const bits = Array.from({ length: count }, (_, bit) => (code >> bit) & 1);
  return [bits.reduce((sum, bit) => sum * 2 + bit, 0), count];
}

function bitsOf(fields: readonly Bits[]): Uint8Array {
  const bits = fields.flatMap(([value, count]) => Array.from({ length: count }, (_, bit) => (value >> bit) & 1));
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, byte) =>
    bits.slice(byte * 8, byte * 8 + 8).reduce((sum, bit, index) => sum | (bit << index), 0),
  );
}

test('returns "done" at the end of the stream and does not change the rest of the output', (t) => {
  const bytes = noisyBytes(3000, 0.5, 11);
  const gzip = concatBytes(gzipSync(bytes), new Uint8Array(4096));
  const inflater = inflaterOf(gzip);
  t.true(inflater.parseHeader());
  const output = new Uint8Array(4096).fill(0x77);
  t.is(inflater.inflate(output), 'done');
  t.deepEqual(output.subarray(0, bytes.length), bytes);
  t.true(
    output.subarray(bytes.length).every((byte) => byte === 0x77),
    'the rest keeps what it had',
  );
  t.is(
    inflater.consumedBytes,
    gunzipSync(gzip.subarray(0, -4096)).length === bytes.length ? gzip.length - 4096 - trailerBytes : -1,
  );
  t.notThrows(() => inflater.inflate(output));
});
