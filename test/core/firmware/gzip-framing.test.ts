import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { readGzip } from '../../../src/core/firmware/gzip-framing.ts';
import { concatBytes, setWord } from '../../support/image-builder.ts';

const limit = 1024 * 1024;

function findingIds(bytes: Uint8Array, maxContentBytes = limit): readonly string[] {
  return readGzip(bytes, maxContentBytes).findings.map(({ id }) => id);
}

interface Fields {
  readonly extra?: Uint8Array;
  readonly fileName?: string;
  readonly comment?: string;
  readonly headerCrc?: boolean;
}

/** Builds a gzip file from optional header fields and a deflate stream by node:zlib. */
function gzipWith(content: Uint8Array, { extra, fileName, comment, headerCrc = false }: Fields): Uint8Array {
  const flags =
    (headerCrc ? 2 : 0) | (extra ? 4 : 0) | (fileName === undefined ? 0 : 8) | (comment === undefined ? 0 : 16);
  const parts: Uint8Array[] = [Uint8Array.of(0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 2, 3)];
  if (extra) parts.push(Uint8Array.of(extra.length & 0xff, extra.length >> 8), extra);
  for (const text of [fileName, comment]) if (text !== undefined) parts.push(Buffer.from(`${text}\0`, 'latin1'));
  // `gunzipSync` checks FHCRC, so it verifies the CRC that this function writes.
  if (headerCrc) parts.push(crc16(concatBytes(...parts)));
  const plain = gzipSync(content);
  return concatBytes(...parts, plain.subarray(10));
}

function crc16(bytes: Uint8Array): Uint8Array {
  const crc = gzipSync(bytes).subarray(-8, -6);
  return Uint8Array.from(crc);
}

test('reads node:zlib output for every level and strategy', (t) => {
  const options = fc.record({ level: fc.integer({ min: 0, max: 9 }), strategy: fc.integer({ min: 0, max: 4 }) });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat({ max: 200 }), options, (some, repeat, zlibOptions) => {
      const content = Buffer.concat(Array.from({ length: repeat + 1 }, () => some));
      const file = gzipSync(content, zlibOptions);
      const { value, findings } = readGzip(file, limit);
      t.deepEqual(findings, []);
      return (
        Buffer.compare(value.content, content) === 0 &&
        value.framing.endOffset === file.length &&
        value.framing.members.length === 1
      );
    }),
    { numRuns: 60 },
  );
});

test('reads all optional gzip header fields that node:zlib accepts', (t) => {
  const text = fc.stringMatching(/^[ -~]{0,40}$/);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 50 }),
      fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
      fc.option(text, { nil: undefined }),
      fc.option(text, { nil: undefined }),
      fc.boolean(),
      (content, extra, fileName, comment, headerCrc) => {
        const file = gzipWith(content, {
          headerCrc,
          ...(extra && { extra }),
          ...(fileName !== undefined && { fileName }),
          ...(comment !== undefined && { comment }),
        });
        t.deepEqual(Buffer.from(gunzipSync(file)), Buffer.from(content));
        const { value, findings } = readGzip(file, limit);
        t.deepEqual(findings, []);
        const header = value.framing.firstHeader;
        t.deepEqual([header?.fileName, header?.comment, header?.extraBytes], [fileName, comment, extra?.length]);
        t.is(header?.headerCrc === undefined, !headerCrc);
        t.is(header?.modificationTime, 0x04030201);
        return value.framing.endOffset === file.length;
      },
    ),
    { numRuns: 60 },
  );
});

test('reports an incorrect CRC of the gzip header', (t) => {
  const file = gzipWith(Buffer.from('content'), { headerCrc: true });
  file[10] = (file[10] ?? 0) ^ 1;
  t.deepEqual(findingIds(file), ['gzip-header-crc-mismatch']);
});

test('reports reserved flags and unsupported compression methods, which eboot rejects', (t) => {
  const file = Uint8Array.from(gzipSync('content'));
  file[3] = 0x20;
  t.deepEqual(findingIds(file), ['gzip-reserved-flags']);
  file[3] = 0;
  file[2] = 7;
  t.deepEqual(findingIds(file), ['gzip-method-unknown']);
});

test('reports a gzip file truncated at any length', (t) => {
  const file = gzipWith(Buffer.from('some content that is long enough'), {
    fileName: 'door.bin',
    comment: 'c',
    extra: new Uint8Array(5),
    headerCrc: true,
  });
  for (let length = 2; length < file.length; length += 1) {
    t.true(
      ['gzip-header-truncated', 'gzip-truncated'].includes(findingIds(file.subarray(0, length))[0] ?? ''),
      `${length}`,
    );
  }
});

test('reports a corrupt deflate stream, an incorrect CRC and an incorrect size', (t) => {
  const file = Uint8Array.from(gzipSync(Buffer.alloc(1000, 'abc')));
  const corrupt = Uint8Array.from(file);
  corrupt[10] = 0x07;
  t.deepEqual(findingIds(corrupt), ['gzip-corrupt']);
  const wrongCrc = Uint8Array.from(file);
  setWord(wrongCrc, file.length - 8, 1);
  t.deepEqual(findingIds(wrongCrc), ['gzip-crc-mismatch']);
  const wrongSize = Uint8Array.from(file);
  setWord(wrongSize, file.length - 4, 0xffffffff);
  t.deepEqual(findingIds(wrongSize), ['gzip-size-mismatch']);
});

test('stops inflating at the size limit', (t) => {
  const bomb = gzipSync(Buffer.alloc(8 * limit));
  const { value, findings } = readGzip(bomb, limit);
  t.deepEqual(
    findings.map(({ id }) => id),
    ['gzip-too-large'],
  );
  t.is(value.content.length, 0);
  t.deepEqual(findingIds(gzipSync(Buffer.alloc(limit)), limit), []);
});

test('applies the size limit to the sum of all gzip members', (t) => {
  const bomb = gzipSync(Buffer.alloc(limit / 2));
  const { value } = readGzip(concatBytes(bomb, bomb, bomb, bomb), limit);
  t.is(value.framing.members.length, 2);
});

test('counts consecutive gzip members and returns the content of the first member', (t) => {
  const first = gzipSync('first');
  const file = concatBytes(first, gzipSync('second'), gzipSync('third'));
  const { value, findings } = readGzip(file, limit);
  t.is(Buffer.from(value.content).toString(), 'first');
  t.deepEqual(
    value.framing.members.map(({ offset }) => offset),
    [0, first.length, first.length + gzipSync('second').length],
  );
  t.is(value.framing.endOffset, file.length);
  t.deepEqual(findings, [{ id: 'gzip-second-member', message: findings[0]?.message ?? '', offset: first.length }]);
});

test('ignores bytes that only start like a gzip member', (t) => {
  const first = gzipSync('first');
  for (const rest of [
    Uint8Array.of(0x1f, 0x8b),
    concatBytes(Uint8Array.of(0x1f, 0x8b, 8, 0), new Uint8Array(300).fill(0x5a)),
  ]) {
    const { value, findings } = readGzip(concatBytes(first, rest), limit);
    t.is(value.framing.members.length, 1);
    t.is(value.framing.endOffset, first.length);
    t.deepEqual(findings, []);
  }
});

test('finds the end of the deflate stream despite trailing bytes', (t) => {
  const deflated = deflateRawSync(Buffer.alloc(70_000, 'x'));
  const file = gzipSync(Buffer.alloc(70_000, 'x'));
  const { value } = readGzip(concatBytes(file, new Uint8Array(999)), limit);
  t.is(value.framing.members[0]?.deflateBytes, deflated.length);
});
