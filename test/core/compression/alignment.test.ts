import { gunzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { alignGzip } from '../../../src/core/compression/alignment.ts';
import { readGzipHeader } from '../../../src/core/firmware/gzip-header.ts';
import { buildGzip } from '../../support/gzip-builder.ts';

/** Arbitrary Latin-1 text without a zero byte. */
const latin1 = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 9,
});
const fields = fc.record(
  {
    extra: fc.uint8Array({ maxLength: 300 }),
    name: latin1,
    comment: latin1,
    headerCrc: fc.boolean(),
    modificationTime: fc.nat(),
  },
  { requiredKeys: [] },
);

test('pads a gzip file to a multiple of 4 bytes without changing its content', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fields, (content, header) => {
      const gzip = buildGzip(content, header);
      const before = Buffer.from(gzip);
      const aligned = alignGzip(gzip);
      t.is(aligned.length, gzip.length + ((4 - (gzip.length % 4)) % 4));
      t.deepEqual(gunzipSync(aligned), Buffer.from(content));
      t.deepEqual(gzip, before, 'the input is left as it is');
    }),
    { numRuns: 500 },
  );
});

test('pads a gzip file by changing only its file name', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fields, (content, wanted) => {
      const gzip = buildGzip(content, wanted);
      const aligned = alignGzip(gzip);
      const before = readGzipHeader(gzip, 0).header;
      const { header: after, findings } = readGzipHeader(aligned, 0);
      if (before === undefined || after === undefined) return t.fail();
      t.deepEqual(findings, [], 'the CRC of the header is right again');
      t.is(after.comment, before.comment);
      t.is(after.extraBytes, before.extraBytes);
      t.is(after.modificationTime, before.modificationTime);
      t.true(after.fileName?.endsWith(before.fileName ?? '') ?? before.fileName === undefined);
      t.deepEqual(Buffer.from(aligned.subarray(after.sizeBytes)), gzip.subarray(before.sizeBytes));
    }),
    { numRuns: 500 },
  );
});

test('returns an aligned gzip file unchanged', (t) => {
  const aligned = alignGzip(buildGzip(Buffer.from('door')));
  t.is(alignGzip(aligned), aligned);
});
