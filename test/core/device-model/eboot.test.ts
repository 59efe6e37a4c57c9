import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { type CoreCapabilities, coreCapabilities } from '../../../src/core/device-model/cores.ts';
import { copyCodes, runEboot } from '../../../src/core/device-model/eboot.ts';
import { erasedFlash, roundUpToSector } from '../../../src/core/device-model/flash.ts';
import { lowestSafeStaging, modeledProfile } from '../../../src/core/device-model/inflate-profile.ts';
import { concatBytes } from '../../support/image-builder.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { noisyBytes } from './recipes.ts';

const chipBytes = 512 * 1024;

function capabilitiesOf(release: string): CoreCapabilities {
  const capabilities = coreCapabilities(release);
  if (capabilities === undefined) throw new Error(release);
  return capabilities;
}

function stagedAt(source: number, bytes: Uint8Array): Uint8Array {
  const flash = erasedFlash(chipBytes);
  flash.set(bytes, source);
  return flash;
}

function same(flash: Uint8Array, at: number, expected: Uint8Array): boolean {
  return Buffer.compare(flash.subarray(at, at + expected.length), expected) === 0;
}

const image = fc
  .record({
    sizeBytes: fc.integer({ min: 100, max: 120_000 }),
    noise: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(),
  })
  .map(({ sizeBytes, noise, seed }) => noisyBytes(sizeBytes, noise, seed));
const release = fc.constantFrom('2.7.0', '2.7.2', '2.7.4', '3.0.0', '3.1.2');
const destination = fc.constantFrom(0, 0x60000);

test('every eboot version copies raw images and inflates gzip-compressed images staged at a high enough address', (t) => {
  fc.assert(
    fc.property(image, release, destination, fc.boolean(), (bytes, core, to, compressed) => {
      const sent = compressed ? Uint8Array.from(gzipSync(bytes)) : bytes;
      const source = 0x20000;
      const flash = stagedAt(source, sent);
      const run = runEboot(flash, { source, destination: to, sizeBytes: sent.length }, capabilitiesOf(core));
      t.is(run.code, copyCodes.copied);
      t.true(same(flash, to, bytes));
      t.is(run.touchedBytes, roundUpToSector(bytes.length));
      t.is(run.overwrittenSector, undefined);
      t.is(flash[to + run.touchedBytes], to + run.touchedBytes === source ? sent[0] : 0xff, 'and nothing behind it');
    }),
    propertyRuns(60, 5_000),
  );
});

test('eboot copies a raw image to a lower address that overlaps the source', (t) => {
  const bytes = noisyBytes(200_000, 1, 31);
  for (const source of [0x1000, 0x8000, 0x30000]) {
    const flash = stagedAt(source, bytes);
    const run = runEboot(flash, { source, destination: 0, sizeBytes: bytes.length }, capabilitiesOf('3.1.2'));
    t.is(run.code, copyCodes.copied);
    t.is(run.overwrittenSector, undefined);
    t.true(same(flash, 0, bytes));
  }
});

/** Data that compresses well only at the start: eboot writes a lot of output before it reads the end of the input. */
const treacherousImage = fc
  .record({
    easyBytes: fc.integer({ min: 0, max: 150_000 }),
    hardBytes: fc.integer({ min: 1, max: 40_000 }),
    seed: fc.nat(),
  })
  .map(({ easyBytes, hardBytes, seed }) =>
    concatBytes(noisyBytes(easyBytes, 0.02, seed), noisyBytes(hardBytes, 1, seed + 1)),
  );

test('eboot fails to inflate if and only if the staging address is lower than the inflate profile allows', (t) => {
  let overtaken = 0;
  fc.assert(
    fc.property(
      treacherousImage,
      fc.constantFrom('2.7.4', '3.1.2'),
      fc.integer({ min: 1, max: 40 }),
      (bytes, core, sector) => {
        const gzip = Uint8Array.from(gzipSync(bytes));
        const capabilities = capabilitiesOf(core);
        const profile = modeledProfile(gzip, bytes.length);
        if (profile === undefined) return t.fail('it inflates');
        const source = sector * 4096;
        const flash = stagedAt(source, gzip);
        const run = runEboot(flash, { source, destination: 0, sizeBytes: gzip.length }, capabilities);
        const isSafe = source >= lowestSafeStaging(profile, capabilities.erasesBeforeInflating);
        if (!isSafe) overtaken++;
        t.is(run.overwrittenSector === undefined, isSafe);
        t.is(run.code === copyCodes.copied && same(flash, 0, bytes), isSafe);
      },
    ),
    propertyRuns(150, 10_000),
  );
  t.true(overtaken > 40, `${overtaken} of them were overtaken`);
});

test('the block counts in the inflate profile are consistent from sector to sector', (t) => {
  fc.assert(
    fc.property(image, (bytes) => {
      const profile = modeledProfile(Uint8Array.from(gzipSync(bytes)), bytes.length);
      if (profile === undefined) return t.fail('it inflates');
      t.is(profile.blocksAfter.length, Math.ceil(bytes.length / 4096));
      t.is(profile.blocksAfter.at(-1), profile.blocks);
      // Before a sector, eboot has read as many blocks as after the previous sector. The header requires the first block.
      t.deepEqual(profile.blocksBefore.slice(1), profile.blocksAfter.slice(0, -1));
      t.is(profile.blocksBefore[0], 1);
      t.true(lowestSafeStaging(profile, true) >= lowestSafeStaging(profile, false));
    }),
    propertyRuns(30, 2_000),
  );
});

test('the eboot model reports the first input sector that eboot overwrites', (t) => {
  // Highly compressible bytes, followed by 16 KB of noise. eboot overwrites the noise before reading it.
  const bytes = concatBytes(new Uint8Array(100_000), noisyBytes(16_384, 1, 32));
  const gzip = Uint8Array.from(gzipSync(bytes));
  const flash = stagedAt(0x5000, gzip);
  const run = runEboot(flash, { source: 0x5000, destination: 0, sizeBytes: gzip.length }, capabilitiesOf('3.1.2'));
  t.is(run.overwrittenSector, 6, 'sector 5 was read before the first byte came out');
  t.false(same(flash, 0, bytes));
});

test('eboot reads the image size from the last word of the file, which is 256 in a signed file', (t) => {
  const bytes = noisyBytes(50_000, 0.5, 33);
  const trailer = concatBytes(new Uint8Array(256).fill(0x99), Uint8Array.of(0, 1, 0, 0));
  const sent = concatBytes(Uint8Array.from(gzipSync(bytes)), trailer);
  const flash = stagedAt(0x40000, sent);
  const run = runEboot(flash, { source: 0x40000, destination: 0, sizeBytes: sent.length }, capabilitiesOf('2.7.4'));
  t.deepEqual([run.code, run.wantedBytes, run.touchedBytes], [copyCodes.copied, 256, 4096]);
  t.true(same(flash, 0, bytes.subarray(0, 256)));
  t.true(flash.subarray(256, 4096).every((byte) => byte === 0xff));
});

test('eboot copies nothing if the highest bit of the size is set', (t) => {
  const gzip = Uint8Array.from(gzipSync(noisyBytes(5000, 1, 34)));
  gzip[gzip.length - 1] = 0x80;
  const flash = stagedAt(0x40000, gzip);
  const run = runEboot(flash, { source: 0x40000, destination: 0, sizeBytes: gzip.length }, capabilitiesOf('3.1.2'));
  t.is(run.code, copyCodes.copied);
  t.true(run.wantedBytes < 0);
  t.is(run.touchedBytes, 0);
});

test('eboot corrupts the copy without an error if a second gzip member or other bytes follow the image', (t) => {
  const [first, second] = [noisyBytes(30_000, 0.5, 35), noisyBytes(20_000, 0.5, 36)];
  const twoMembers = concatBytes(gzipSync(first), gzipSync(second));
  const flash = stagedAt(0x40000, twoMembers);
  const run = runEboot(
    flash,
    { source: 0x40000, destination: 0, sizeBytes: twoMembers.length },
    capabilitiesOf('3.1.2'),
  );
  t.deepEqual([run.code, run.wantedBytes], [copyCodes.copied, second.length]);
  t.true(same(flash, 0, first.subarray(0, second.length)));

  const padded = concatBytes(gzipSync(first), Uint8Array.of(0x10, 0x27, 0, 0));
  const other = stagedAt(0x40000, padded);
  t.is(
    runEboot(other, { source: 0x40000, destination: 0, sizeBytes: padded.length }, capabilitiesOf('3.1.2')).code,
    copyCodes.copied,
  );
  t.false(same(other, 0, first));
});

test('eboot detects a damaged deflate stream but not a damaged CRC', (t) => {
  const bytes = noisyBytes(60_000, 1, 37);
  const gzip = Uint8Array.from(gzipSync(bytes, { level: 1 }));
  const wrongCrc = gzip.slice();
  wrongCrc[gzip.length - 6] = (wrongCrc[gzip.length - 6] ?? 0) ^ 0xff;
  const flash = stagedAt(0x40000, wrongCrc);
  t.is(
    runEboot(flash, { source: 0x40000, destination: 0, sizeBytes: gzip.length }, capabilitiesOf('3.1.2')).code,
    copyCodes.copied,
  );
  t.true(same(flash, 0, bytes));

  const stored = Uint8Array.from(gzipSync(bytes, { level: 0 }));
  stored[10] = 0xff;
  const other = stagedAt(0x40000, stored);
  const run = runEboot(other, { source: 0x40000, destination: 0, sizeBytes: stored.length }, capabilitiesOf('3.1.2'));
  t.deepEqual([run.code, run.touchedBytes], [copyCodes.badDeflate, 0]);
  const older = runEboot(
    stagedAt(0x40000, stored),
    { source: 0x40000, destination: 0, sizeBytes: stored.length },
    capabilitiesOf('2.7.4'),
  );
  t.deepEqual([older.code, older.touchedBytes], [copyCodes.badDeflate, 4096], 'the first sector is gone before');
});

test('eboot leaves the flash unchanged if uzlib rejects the gzip header', (t) => {
  const gzip = Uint8Array.from(gzipSync(new Uint8Array(100)));
  gzip[3] = 0x40;
  const run = runEboot(
    stagedAt(0x40000, gzip),
    { source: 0x40000, destination: 0, sizeBytes: gzip.length },
    capabilitiesOf('3.1.2'),
  );
  t.deepEqual([run.code, run.touchedBytes], [copyCodes.badGzipHeader, 0]);
});

test('eboot rejects addresses that are not sector-aligned', (t) => {
  const run = runEboot(
    erasedFlash(chipBytes),
    { source: 0x40010, destination: 0, sizeBytes: 10 },
    capabilitiesOf('3.1.2'),
  );
  t.is(run.code, copyCodes.unaligned);
});

test('eboot without gzip support copies gzip data unchanged', (t) => {
  const gzip = Uint8Array.from(gzipSync(noisyBytes(9000, 1, 38)));
  const flash = stagedAt(0x40000, gzip);
  t.is(
    runEboot(flash, { source: 0x40000, destination: 0, sizeBytes: gzip.length }, capabilitiesOf('2.6.3')).code,
    copyCodes.copied,
  );
  t.true(same(flash, 0, gzip));
});

test('the eboot of core 2.7.2 fails the comparison if the copy overwrote its source', (t) => {
  const bytes = noisyBytes(100_000, 1, 39);
  for (const [source, code] of [
    [0x19000, copyCodes.copied],
    [0x18000, copyCodes.differs],
  ] as const) {
    const flash = stagedAt(source, bytes);
    const run = runEboot(flash, { source, destination: 0, sizeBytes: bytes.length }, capabilitiesOf('2.7.2'));
    t.is(run.code, code);
    t.true(same(flash, 0, bytes), 'the copy itself is right');
  }
  const flash = stagedAt(0x18000, bytes);
  t.is(
    runEboot(flash, { source: 0x18000, destination: 0, sizeBytes: bytes.length }, capabilitiesOf('2.7.3')).code,
    copyCodes.copied,
  );
});

test('eboot stops writing at the end of the chip', (t) => {
  const gzip = Uint8Array.from(gzipSync(new Uint8Array(chipBytes)));
  const flash = stagedAt(0x10000, gzip);
  const run = runEboot(
    flash,
    { source: 0x10000, destination: 0x20000, sizeBytes: gzip.length },
    capabilitiesOf('3.1.2'),
  );
  t.deepEqual([run.code, run.touchedBytes], [copyCodes.eraseFailed, chipBytes - 0x20000]);
});

test('the eboot model does not throw for any combination of bytes and copy command', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 6000 }),
      fc.nat(0x1ffff),
      fc.nat(0x1ffff),
      fc.nat(9000),
      release,
      (bytes, from, to, size, core) => {
        bytes.set([0x1f, 0x8b, 8, 0]);
        const flash = stagedAt(from & ~0xfff, bytes);
        t.notThrows(() =>
          runEboot(flash, { source: from & ~0xfff, destination: to & ~0xfff, sizeBytes: size }, capabilitiesOf(core)),
        );
      },
    ),
    propertyRuns(100, 10_000),
  );
});
