import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { deviceVerdict } from '../../../src/core/firmware/device-verdict.ts';
import { proveEnforcement } from '../../../src/core/firmware/elf-proof.ts';
import { type Firmware, readFirmware } from '../../../src/core/firmware/firmware.ts';
import { buildElf } from '../../support/elf-builder.ts';
import { buildImage, concatBytes, sectionsOf, setWord } from '../../support/image-builder.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { makeKeyPair, signFile, withTrailer } from '../../support/signed-file.ts';
import { hostileFiles } from './hostile-files.ts';
import { workOf } from './work.ts';

const owner = makeKeyPair();
const recipe = {
  flashContent: Buffer.from(`${owner.publicKey.pem}\0Not Enough Space\0 2.2.2-dev(38a443e)\0`, 'latin1'),
} as const;
const image = buildImage(recipe);
const gzipped = gzipSync(image);
const elf = buildElf({ entryAddress: 0x40100004, sections: sectionsOf(recipe), symbols: ['updaterSigningHash'] });

function ids({ findings }: Firmware): readonly string[] {
  return findings.map(({ id }) => id);
}

test('reads the key and the library traces in a raw sketch', (t) => {
  const firmware = readFirmware(image);
  t.like(firmware, {
    kind: 'sketch',
    encoding: 'identity',
    sizeBytes: image.length,
    gzip: undefined,
    trailer: undefined,
  });
  t.deepEqual(firmware.findings, []);
  t.is(firmware.embeddedKeys[0]?.key.fingerprint, owner.publicKey.fingerprint);
  t.like(firmware.traces, { updater: true, arduinoOta: false, sdkVersions: ['2.2.2-dev(38a443e)'] });
});

test('reads a gzip-compressed sketch in the same way as the raw sketch inside it', (t) => {
  const firmware = readFirmware(gzipped);
  const raw = readFirmware(image);
  t.like(firmware, { kind: 'sketch', encoding: 'gzip', sizeBytes: gzipped.length });
  t.deepEqual(firmware.findings, []);
  t.deepEqual(firmware.sketch, raw.sketch);
  t.deepEqual(firmware.traces, raw.traces);
  t.is(firmware.embeddedKeys[0]?.offset, raw.embeddedKeys[0]?.offset);
});

test('verifies a signature with the key embedded in the image', (t) => {
  for (const payload of [image, gzipped]) {
    const firmware = readFirmware(signFile(payload, owner.privateKey, 'current'));
    t.deepEqual(firmware.findings, []);
    t.is(firmware.trailer?.format, 'current');
    t.is(firmware.payload.length, payload.length);
    t.is(firmware.content.length, image.length);
  }
});

test('detects a signature whose first bytes resemble a gzip member', (t) => {
  const signature = concatBytes(Uint8Array.of(0x1f, 0x8b, 8, 0), new Uint8Array(124).fill(0x11));
  const firmware = readFirmware(withTrailer(gzipped, signature, 128));
  t.is(firmware.trailer?.offset, gzipped.length);
  t.deepEqual(ids(firmware), ['signature-unverified']);
});

test('does not treat a second gzip member as a signature', (t) => {
  const firmware = readFirmware(concatBytes(gzipped, gzipSync(Buffer.alloc(256, Buffer.from(image)), { level: 0 })));
  t.is(firmware.trailer, undefined);
  t.deepEqual(ids(firmware), ['gzip-second-member']);
});

test('reports bytes after the image, inside and outside a gzip file', (t) => {
  t.deepEqual(ids(readFirmware(concatBytes(image, new Uint8Array(3)))), ['data-after-image']);
  t.deepEqual(ids(readFirmware(concatBytes(gzipped, new Uint8Array(3)))), ['data-after-gzip']);
  t.deepEqual(ids(readFirmware(gzipSync(concatBytes(image, new Uint8Array(3))))), ['data-after-image']);
});

test('reports a gzip file inside a gzip file', (t) => {
  t.deepEqual(ids(readFirmware(gzipSync(gzipped))), ['unknown-content', 'gzip-nested']);
});

test('reports a gzip bomb and discards its content', (t) => {
  const firmware = readFirmware(gzipSync(Buffer.alloc(20 * 1024 * 1024)));
  t.true(ids(firmware).includes('gzip-too-large'));
  t.is(firmware.content.length, 0);
});

test('reports an empty file and a file that is neither a sketch image nor a filesystem image', (t) => {
  t.like(readFirmware(Buffer.from('hello')), { kind: 'unknown' });
  t.deepEqual(ids(readFirmware(Buffer.from('hello'))), ['unknown-content']);
  t.deepEqual(ids(readFirmware(new Uint8Array())), ['empty-file']);
});

test('reads a file at any byte offset in memory', (t) => {
  const shifted = new Uint8Array(image.length + 3).subarray(3);
  shifted.set(image);
  t.deepEqual(readFirmware(shifted).sketch, readFirmware(image).sketch);
});

test('reports no findings for a sketch from the real compiler', (t) => {
  const firmware = readFirmware(readFileSync('test/fixtures/firmware/door.bin'));
  t.deepEqual(firmware.findings, []);
  t.is(firmware.kind, 'sketch');
  t.is(firmware.sketch?.sketchSizeBytes, firmware.sizeBytes);
  t.is(firmware.sketch?.core.release, '3.1.2');
  t.deepEqual(firmware.sketch?.flash, { mode: 'dio', sizeBytes: 4 * 1024 * 1024, frequencyMHz: 40 });
  t.true(firmware.sketch?.crc?.matches);
  t.deepEqual(
    [
      ...new Set(
        [...(firmware.sketch?.eboot.segments ?? []), ...(firmware.sketch?.application?.segments ?? [])].map(
          ({ memory }) => memory,
        ),
      ),
    ],
    ['iram', 'irom', 'dram'],
  );
  t.is(firmware.embeddedKeys.length, 1);
  t.like(firmware.traces, { updater: true, httpUpdate: true, webUpdater: false });
});

/** Runs every function that reads untrusted files. */
function readEverything(file: Uint8Array): Firmware {
  const firmware = readFirmware(file, { knownKeys: [owner.publicKey] });
  deviceVerdict(file, owner.publicKey, 'current');
  proveEnforcement({ elf, firmware, expectedKey: owner.publicKey });
  proveEnforcement({ elf: file, firmware: readFirmware(image), expectedKey: owner.publicKey });
  return firmware;
}

const seeds = [
  image,
  buildImage({ ...recipe, generation: '2.7' }),
  gzipped,
  signFile(image, owner.privateKey, 'current'),
  signFile(gzipped, owner.privateKey, 'legacy'),
  elf,
];

test('reads mutated files without throwing', (t) => {
  const mutation = fc.oneof(
    fc.record({
      kind: fc.constant('byte' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      value: fc.nat({ max: 255 }),
    }),
    fc.record({
      kind: fc.constant('word' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      value: fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff),
    }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 6 }), (seed, mutations) => {
      let file = Uint8Array.from(seed);
      for (const { kind, at, value } of mutations) {
        // Half of the offsets are near the start of the file, where the headers are.
        const offset = Math.floor(at * (value % 2 === 0 ? file.length : Math.min(file.length, 64)));
        if (kind === 'cut') file = file.slice(0, offset);
        else if (kind === 'byte' && offset < file.length) file[offset] = value;
        else if (kind === 'word' && offset + 4 <= file.length) setWord(file, offset, value);
      }
      readEverything(file);
    }),
    propertyRuns(250, 30_000),
  );
  t.pass();
});

test('reads random bytes after each magic number without throwing', (t) => {
  const magics = [
    [0xe9],
    [0x1f, 0x8b, 8],
    [0x7f, 0x45, 0x4c, 0x46, 1, 1],
    [...Buffer.from('\0\0\0\0\xf0\x0f\xff\xf7littlefs', 'latin1')],
  ];
  fc.assert(
    fc.property(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 300 }), (magic, rest) => {
      readEverything(concatBytes(Uint8Array.from(magic), rest));
    }),
    propertyRuns(250, 30_000),
  );
  t.pass();
});

const largeBytes = 4 * 1024 * 1024;

for (const [name, make] of Object.entries(hostileFiles)) {
  // `npm run fuzz:large` reads 16 MB of each kind of file and measures the CPU time.
  test.serial(`the work to read ${name} is linear in the file size and includes few RSA operations`, (t) => {
    const [quarter, file] = [make(largeBytes / 4), make(largeBytes)];
    const before = workOf(() => readEverything(quarter));
    const { steps, keysRead, decryptions } = workOf(() => readEverything(file));
    const sizeBytes = file.length + readFirmware(file).content.length;
    t.log(`${(steps / sizeBytes).toFixed(1)} steps a byte, ${keysRead} keys, ${decryptions} RSA operations`);
    t.true(steps < 4.5 * before.steps);
    t.true(steps < 20 * sizeBytes);
    t.true(keysRead <= 2000);
    t.true(decryptions <= 200);
  });
}
