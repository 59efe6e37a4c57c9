import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { alignGzip } from '../../../src/core/compression/alignment.ts';
import { compressionNames } from '../../../src/core/compression/names.ts';
import { compressors } from '../../../src/core/compression/registry.ts';
import { propertyRuns } from '../../support/property-runs.ts';

/** Deterministic input: half pseudorandom bytes, half padding. */
const known = Uint8Array.from({ length: 40_000 }, (_, at) =>
  at % 400 < 200 ? (Math.imul(at, at ^ 0x5bd1) >>> 7) & 0x7f : 0xaa,
);
const door = readFileSync(new URL('../../fixtures/firmware/door.bin', import.meta.url));

test('provides a compressor for every compression name except "none"', (t) => {
  t.deepEqual(Object.keys(compressors).sort(), [...compressionNames].sort());
  t.is(compressors.none, undefined);
});

test('gzip output is the same on every machine', async (t) => {
  const gzip = await compressors.gzip(known);
  t.is(
    createHash('sha256').update(gzip).digest('hex'),
    '89165cfcbc65698e97fd96760198489ba9b313fb41b5ec44a0b41fa536524b56',
  );
  t.deepEqual(await compressors.gzip(known), gzip);
});

test('zopfli output is the same on every machine', async (t) => {
  const zopfli = await compressors.zopfli(known);
  t.is(
    createHash('sha256').update(zopfli).digest('hex'),
    '20bfa721ed5a8a64d6e1467b7f7fb1363b63f73e65f150a3aada67e495f72853',
  );
});

for (const name of ['gzip', 'zopfli'] as const) {
  test(`${name} output inflates to the original content`, async (t) => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.nat(9000).map((length) => new Uint8Array(length).fill(0xaa)),
    );
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        const aligned = alignGzip(await compressors[name](bytes));
        t.is(aligned.length % 4, 0);
        t.deepEqual(gunzipSync(aligned), Buffer.from(bytes));
      }),
      name === 'gzip' ? propertyRuns(30, 3_000) : propertyRuns(3, 200),
    );
  });

  test(`${name} omits the time and the file name and writes the same OS byte on every machine`, async (t) => {
    const [, , method, flags, ...rest] = (await compressors[name](door.subarray(0, 1000))).subarray(0, 10);
    t.is(method, 8);
    t.is(flags, 0);
    t.deepEqual(rest.slice(0, 4), [0, 0, 0, 0]);
    t.is(rest[5], 3, 'the same system everywhere');
  });
}

test('gzip output is at most 2% larger than zlib output, and zopfli output is smaller than zlib output', async (t) => {
  // The time that zopfli takes grows with the input.
  const input = door.subarray(100_000, 108_000);
  const [gzip, zopfli] = await Promise.all([compressors.gzip(input), compressors.zopfli(input)]);
  t.true(gzip.length < gzipSync(input, { level: 9 }).length * 1.02);
  t.true(zopfli.length < gzip.length);
});
