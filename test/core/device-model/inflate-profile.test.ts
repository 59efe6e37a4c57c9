/** Compares the inflate profile measured with zlib to the profile of the inflater model. */
import { constants, deflateRawSync } from 'node:zlib';
import { gzipAsync as zopfli } from '@gfx/zopfli';
import test from 'ava';
import fc from 'fast-check';
import { gzipSync as fflateGzip } from 'fflate';
import { inflateProfile, modeledProfile } from '../../../src/core/device-model/inflate-profile.ts';
import { concatBytes } from '../../support/image-builder.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { noisyBytes } from './recipes.ts';

/** Size for which `inflateProfile` uses zlib. */
const content = fc
  .array(
    fc.record({
      sizeBytes: fc.integer({ min: 1, max: 60_000 }),
      noise: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.nat(),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) =>
    concatBytes(
      noisyBytes(40_000, 1, 7),
      ...parts.map(({ sizeBytes, noise, seed }) => noisyBytes(sizeBytes, noise, seed)),
    ),
  );

const deflated = fc.record({
  content,
  level: fc.integer({ min: 0, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  strategy: fc.constantFrom(constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE),
  nameBytes: fc.constantFrom(0, 1, 3, 4085, 4086, 4087, 9000),
});

test('the inflate profile matches the inflater model for all zlib levels, strategies and header sizes', async (t) => {
  const runs = propertyRuns(20, 3_000);
  let streams = 0;
  await fc.assert(
    fc.asyncProperty(deflated, async ({ content, level, memLevel, strategy, nameBytes }) => {
      const gzip = framed(deflateRawSync(content, { level, memLevel, strategy }), content.length, nameBytes);
      const expected = modeledProfile(gzip, content.length);
      t.truthy(expected);
      t.deepEqual(await inflateProfile(gzip, content.length), expected);
      streams++;
    }),
    runs,
  );
  t.is(streams, runs.numRuns);
});

test('the inflate profile matches the inflater model for fflate and zopfli output', async (t) => {
  const bytes = concatBytes(noisyBytes(20_000, 0.3, 1), noisyBytes(40_000, 0.01, 2), noisyBytes(10_000, 1, 3));
  for (const gzip of [fflateGzip(bytes, { level: 9 }), await zopfli(bytes, { numiterations: 1 })]) {
    t.deepEqual(await inflateProfile(gzip, bytes.length), modeledProfile(gzip, bytes.length));
  }
});

test('the inflate profile matches the inflater model for damaged streams and incorrect sizes', async (t) => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(deflated, fc.nat(), fc.nat({ max: 255 }), async ({ content, level, nameBytes }, place, value) => {
      const gzip = framed(deflateRawSync(content, { level }), content.length, nameBytes);
      const damaged = gzip.slice();
      damaged[place % gzip.length] = value;
      const variants: [Uint8Array, number][] = [
        [gzip.subarray(0, place % gzip.length), content.length],
        [damaged, content.length],
        [concatBytes(gzip, gzip), 2 * content.length],
        [gzip, content.length + (place % 9000)],
        [gzip, place % content.length],
      ];
      for (const [bytes, sizeBytes] of variants) {
        const expected = modeledProfile(bytes, sizeBytes);
        if (expected === undefined) refused++;
        t.deepEqual(await inflateProfile(bytes, sizeBytes), expected);
      }
    }),
    propertyRuns(10, 2_000),
  );
  t.true(refused > 10, `${refused} of them are refused`);
});

/** Builds a gzip file whose name field has `nameBytes` bytes, including the terminating zero. */
function framed(deflate: Uint8Array, sizeBytes: number, nameBytes: number): Uint8Array {
  const header = Uint8Array.of(0x1f, 0x8b, 8, nameBytes > 0 ? 8 : 0, 0, 0, 0, 0, 0, 3);
  const name = new Uint8Array(nameBytes).fill(0x61);
  if (nameBytes > 0) name[nameBytes - 1] = 0;
  const trailer = new Uint8Array(8);
  new DataView(trailer.buffer).setUint32(4, sizeBytes, true);
  return concatBytes(header, name, deflate, trailer);
}
