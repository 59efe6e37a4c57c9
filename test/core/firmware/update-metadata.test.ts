import { gunzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { UzlibInflater } from '../../../src/core/device-model/uzlib-inflate.ts';
import { readGzipHeader } from '../../../src/core/firmware/gzip-header.ts';
import {
  gzipExtraField,
  gzipMetadata,
  productDigest,
  rawMetadata,
  withGzipMetadata,
  withRawMetadata,
} from '../../../src/core/firmware/update-metadata.ts';
import type { UpdateMetadata } from '../../../src/core/model/manifest.ts';
import { buildGzip } from '../../support/gzip-builder.ts';

const byte = fc.integer({ min: 0, max: 255 });
const word = fc.integer({ min: 0, max: 0xffffffff });
const anyMetadata: fc.Arbitrary<UpdateMetadata> = fc.record({
  format: fc.integer({ min: 1, max: 255 }),
  kind: fc.constantFrom('sketch', 'filesystem', 'unknown'),
  flashModeByte: byte,
  flashSizeByte: byte,
  memberBytes: word,
  lowestStart: word,
  securityVersion: word,
  product: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex')),
});
const latin1 = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 9,
});
const fields = fc.record({ name: latin1, comment: latin1, headerCrc: fc.boolean() }, { requiredKeys: [] });

const metadata: UpdateMetadata = {
  format: 1,
  kind: 'sketch',
  flashModeByte: 2,
  flashSizeByte: 0x40,
  memberBytes: 0x00030201,
  lowestStart: 0x00060504,
  securityVersion: 7,
  product: productDigest('door'),
};

/** Metadata of a gzip file byte by byte, as the guard reads it. */
const headerInHex = `1f8b0804000000000003${'1c00'}4f481800${'01000240'}010203000405060007000000${productDigest('door')}`;

test('writes metadata into the extra field of a gzip file, from which it can be read', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fields, anyMetadata, (content, header, written) => {
      const gzip = buildGzip(content, header);
      const marked = withGzipMetadata(gzip, written);
      t.deepEqual(gzipMetadata(marked), written);
      t.is(gzipExtraField(marked), 'metadata');
      t.is(marked.length, gzip.length + 30);
      t.deepEqual(gunzipSync(marked), Buffer.from(content));
      const { header: read, findings } = readGzipHeader(marked, 0);
      t.like(read, { fileName: header.name, comment: header.comment, extraBytes: 28 });
      t.deepEqual(findings, [], 'the header CRC matches');
    }),
    { numRuns: 300 },
  );
});

test('replaces existing metadata in a gzip file', (t) => {
  fc.assert(
    fc.property(fields, anyMetadata, anyMetadata, (header, first, second) => {
      const gzip = buildGzip(Buffer.from('door'), header);
      t.deepEqual(withGzipMetadata(withGzipMetadata(gzip, first), second), withGzipMetadata(gzip, second));
    }),
    { numRuns: 100 },
  );
});

test('eboot skips the metadata of a gzip file', (t) => {
  const content = Buffer.from('door '.repeat(50));
  const marked = withGzipMetadata(buildGzip(content, { name: 'door.bin' }), metadata);
  const inflater = new UzlibInflater((block) => block.set(marked));
  t.true(inflater.parseHeader());
  const output = new Uint8Array(content.length);
  inflater.inflate(output);
  t.deepEqual(Buffer.from(output), content);
});

test('writes the metadata of a gzip file where the guard reads it', (t) => {
  const marked = withGzipMetadata(buildGzip(Buffer.from('door')), metadata);
  t.is(Buffer.from(marked.subarray(0, 40)).toString('hex'), headerInHex);
});

test('recognizes an extra field of another program as foreign', (t) => {
  const marked = withGzipMetadata(buildGzip(Buffer.from('door')), metadata);
  const own = marked.subarray(12, 40);
  const other = Buffer.from('AB\x02\0xy', 'latin1');
  const cases: readonly (readonly [Uint8Array | undefined, ReturnType<typeof gzipExtraField>, boolean])[] = [
    [undefined, 'none', false],
    [own, 'metadata', true],
    [new Uint8Array(0), 'foreign', false],
    [other, 'foreign', false],
    // A field before the metadata hides it; a field or the same metadata again behind it does not.
    [Buffer.concat([other, own]), 'foreign', false],
    [Buffer.concat([own, other]), 'foreign', true],
    [Buffer.concat([own, own]), 'foreign', true],
    [own.subarray(0, 20), 'foreign', true],
  ];
  for (const [extra, expected, isRead] of cases) {
    const gzip = buildGzip(Buffer.alloc(100, 'door'), extra === undefined ? {} : { extra });
    t.is(gzipExtraField(gzip), expected);
    t.is(gzipMetadata(gzip) !== undefined, isRead);
  }
});

test('reads no metadata of format 0', (t) => {
  t.is(gzipMetadata(withGzipMetadata(buildGzip(Buffer.from('door')), { ...metadata, format: 0 })), undefined);
  t.is(rawMetadata(withRawMetadata(new Uint8Array(8), { ...metadata, format: 0 })), undefined);
});

test('never throws on damaged gzip headers', (t) => {
  const marked = withGzipMetadata(buildGzip(Buffer.from('door'), { name: 'x', headerCrc: true }), metadata);
  for (let length = 0; length <= marked.length; length++) {
    const cut = marked.subarray(0, length);
    t.notThrows(() => [gzipExtraField(cut), gzipMetadata(cut), rawMetadata(cut)]);
  }
});

test('writes metadata behind a raw image, from which it can be read', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), anyMetadata, (bytes, written) => {
      const image = bytes.subarray(0, bytes.length - (bytes.length % 4));
      const marked = withRawMetadata(image, written);
      t.deepEqual(rawMetadata(marked), written);
      t.deepEqual(marked.subarray(0, image.length), image);
      t.is(Buffer.from(marked.subarray(image.length, image.length + 8)).toString(), 'OTAHOOK1');
      t.is(rawMetadata(marked.subarray(1)), undefined, 'the size is not a multiple of 4');
      t.is(rawMetadata(marked.subarray(0, -4)), undefined);
    }),
    { numRuns: 200 },
  );
});

test('identifies a product by its normalized name', (t) => {
  t.is(productDigest('door'), '2534e2de1dec24fe');
  t.is(productDigest('T\u00fcr'), productDigest('Tu\u0308r'));
  t.not(productDigest('door'), productDigest('Door'));
  t.is(productDigest(undefined), '0000000000000000');
});
