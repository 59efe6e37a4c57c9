import test from 'ava';
import fc from 'fast-check';
import { readSketchImage } from '../../../src/core/firmware/sketch-image.ts';
import { buildImage, fillSizeAndCrc, flashSegmentOffset, setWord } from '../../support/image-builder.ts';

const generations = ['3', '2.7', '2.6'] as const;

function findingIds(bytes: Uint8Array): readonly string[] {
  return readSketchImage(bytes).findings.map(({ id }) => id);
}

for (const [generation, release, rule] of [
  ['3', '3.1.2', 'application'],
  ['2.7', '2.7.4', 'eboot-page'],
  ['2.6', '2.6.3', 'none'],
] as const) {
  test(`reads an image built with core ${release} with the CRC rule of its generation`, (t) => {
    const image = buildImage({ generation });
    const { value, findings } = readSketchImage(image);
    t.deepEqual(findings, []);
    t.is(value?.core.release, release);
    t.is(value?.crcRule, rule);
    t.is(value?.crc?.matches, rule === 'none' ? undefined : true);
    t.is(value?.sketchSizeBytes, image.length);
    t.true(value?.application?.checksum?.matches);
    t.true(value?.eboot.checksum?.matches);
  });
}

test('reads the header fields and the memory type of each segment in an image', (t) => {
  const { value } = readSketchImage(buildImage({ modeByte: 2, sizeAndFrequencyByte: 0x4f }));
  t.deepEqual(value?.flash, { mode: 'dio', sizeBytes: 4 * 1024 * 1024, frequencyMHz: 80 });
  t.is(value?.application?.entryAddress, 0x40100004);
  t.deepEqual(
    value?.application?.segments.map(({ memory, address }) => [memory, address]),
    [
      ['irom', 0x40200000 + flashSegmentOffset],
      ['iram', 0x40100000],
      ['dram', 0x3ffe8000],
    ],
  );
  t.is(value?.application?.segments[0]?.offset, flashSegmentOffset);
});

test('reads image segments of any size without findings', (t) => {
  const segments = fc.array(
    fc.tuple(fc.constantFrom(0x40100000, 0x3ffe8000, 0x3fffa000), fc.uint8Array({ maxLength: 300 })),
    {
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...generations),
      fc.uint8Array({ maxLength: 600 }),
      segments,
      (generation, flashContent, ram) => {
        const ramSegments = [
          { address: 0x40100000, bytes: new Uint8Array(8) },
          ...ram.map(([address, bytes]) => ({ address, bytes })),
        ];
        const image = buildImage({ generation, flashContent, ramSegments });
        const { value, findings } = readSketchImage(image);
        return findings.length === 0 && value?.sketchSizeBytes === image.length;
      },
    ),
  );
  t.pass();
});

test('reports a checksum mismatch if one bit in a segment changes', (t) => {
  const image = buildImage({ generation: '2.6' });
  fc.assert(
    fc.property(
      fc.integer({ min: flashSegmentOffset + 4, max: flashSegmentOffset + 900 }),
      fc.integer({ min: 0, max: 7 }),
      (at, bit) => {
        const broken = Uint8Array.from(image);
        broken[at] = (broken[at] ?? 0) ^ (1 << bit);
        return findingIds(broken).includes('checksum-mismatch');
      },
    ),
  );
  t.pass();
});

for (const generation of ['3', '2.7'] as const) {
  test(`reports a CRC mismatch for a changed byte in the padding after eboot (${generation})`, (t) => {
    const image = buildImage({ generation });
    image[2000] = 0xab;
    t.deepEqual(findingIds(image), ['crc-mismatch']);
  });

  test(`reports a size word that differs from the image size (${generation})`, (t) => {
    const image = buildImage({ generation });
    setWord(image, generation === '3' ? 0x1010 : 4088, image.length + 16);
    t.deepEqual(findingIds(image), ['crc-size-mismatch']);
  });

  test(`distinguishes damage from a flash header patched after the build (${generation})`, (t) => {
    const image = buildImage({ generation, modeByte: 2, sizeAndFrequencyByte: 0x40 });
    image[2] = 3;
    image[3] = 0x2f;
    const { findings } = readSketchImage(image);
    t.deepEqual(
      findings.map(({ id }) => id),
      ['flash-header-differs', 'flash-header-patched'],
    );
    t.regex(findings[1]?.message ?? '', /dio, 4096 KB, 40 MHz/);
  });
}

test('excludes the words that elf2bin fills in from the checksum', (t) => {
  const image = buildImage();
  setWord(image, 0x1010, 0x12345678);
  t.false(findingIds(image).includes('checksum-mismatch'));
});

test('uses the size word to detect the CRC rule of an unknown core commit', (t) => {
  for (const generation of ['3', '2.7'] as const) {
    const { value, findings } = readSketchImage(buildImage({ generation, coreHash: 0xdeadbeef }));
    t.deepEqual(findings, []);
    t.deepEqual(value?.core, { gitHash: 'deadbeef', release: undefined });
    t.is(value?.crc?.matches, true);
  }
});

test('returns no core version and the CRC rule "unknown" for an image without a core hash', (t) => {
  for (const coreHash of [0, 0xffffffff]) {
    const { value, findings } = readSketchImage(buildImage({ generation: '2.6', coreHash }));
    t.deepEqual(findings, []);
    t.deepEqual(value?.core, { gitHash: undefined, release: undefined });
    t.is(value?.crcRule, 'unknown');
  }
});

test('reports a flash mode, size or frequency that the core does not define', (t) => {
  const image = buildImage({ modeByte: 7, sizeAndFrequencyByte: 0x73 });
  t.deepEqual(findingIds(image), ['flash-mode-unknown', 'flash-size-unknown', 'flash-frequency-unknown']);
});

test('reports a missing application header', (t) => {
  const image = buildImage();
  image[0x1000] = 0;
  t.true(findingIds(image).includes('application-missing'));
});

test('reports a flash segment that is linked for a different address', (t) => {
  const image = buildImage({ generation: '2.6' });
  setWord(image, 0x1008, 0x40202010);
  t.deepEqual(findingIds(image), ['segment-misplaced']);
});

test('reports a segment at an unmapped address', (t) => {
  const image = buildImage({
    generation: '2.6',
    ramSegments: [{ address: 0x50000000, bytes: new Uint8Array(4) }],
    entryAddress: 0x50000000,
  });
  t.deepEqual(findingIds(image), ['segment-address-unknown']);
});

test('reports an entry address outside all segments', (t) => {
  t.deepEqual(findingIds(buildImage({ entryAddress: 0x40104000 })), ['entry-outside-segments']);
});

test('reports an empty segment table and a segment that extends past the end of the file', (t) => {
  const image = buildImage();
  setWord(image, 0x100c, 0xffffffff);
  const { value } = readSketchImage(image);
  t.true(findingIds(image).includes('segment-past-end'));
  t.is(value?.sketchSizeBytes, undefined);
  image[0x1001] = 0;
  t.true(findingIds(image).includes('no-segments'));
});

test('reports an image truncated at any length', (t) => {
  const image = buildImage();
  for (let length = 0; length < image.length; length += length < 64 || length > 4090 ? 1 : 61) {
    t.true(findingIds(image.subarray(0, length)).length > 0, `${length} bytes`);
  }
});

test('computes no CRC past the end of the file', (t) => {
  const image = buildImage({ generation: '2.7' });
  const cut = image.subarray(0, image.length - 32);
  const { value } = readSketchImage(cut);
  t.is(value?.crc?.computed, undefined);
  t.false(value?.crc?.matches);
});

test('accepts a modified image with a recomputed CRC', (t) => {
  const image = buildImage();
  image[2000] = 0xab;
  fillSizeAndCrc(image, '3');
  t.deepEqual(findingIds(image), []);
});
