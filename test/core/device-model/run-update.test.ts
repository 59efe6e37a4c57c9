import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { gzipAsync as zopfli } from '@gfx/zopfli';
import test from 'ava';
import fc from 'fast-check';
import { coreCapabilities } from '../../../src/core/device-model/cores.ts';
import { roundUpToSector } from '../../../src/core/device-model/flash.ts';
import { lowestSafeStaging, modeledProfile } from '../../../src/core/device-model/inflate-profile.ts';
import { deviceAtRest, type ModelDevice } from '../../../src/core/device-model/model-device.ts';
import {
  restart,
  runUpdate,
  type UpdateOptions,
  type UpdateResult,
} from '../../../src/core/device-model/run-update.ts';
import { announcedSize, stagingFor, type Transport } from '../../../src/core/device-model/staging.ts';
import { beginUpdate, endUpdate, writeUpdate } from '../../../src/core/device-model/updater.ts';
import { concatBytes } from '../../support/image-builder.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { deviceOf, keyOf, noisyBytes, signed, sketchOf } from './recipes.ts';

const gzipOf = (bytes: Uint8Array): Uint8Array => Uint8Array.from(gzipSync(bytes));

/** Pads the gzip file name so that the size is a multiple of 4 bytes, as cores 3.1.0 to 3.1.2 require for a signed payload. */
function alignedGzipOf(bytes: Uint8Array): Uint8Array {
  const gzip = gzipOf(bytes);
  const nameBytes = (((3 - gzip.length) % 4) + 4) % 4;
  const aligned = concatBytes(
    gzip.subarray(0, 10),
    new Uint8Array(nameBytes).fill(0x61),
    Uint8Array.of(0),
    gzip.subarray(10),
  );
  aligned[3] = 8;
  return aligned;
}

function updating(device: ModelDevice, bytes: Uint8Array, options: Partial<UpdateOptions> = {}): UpdateResult {
  return runUpdate(device, bytes, { transport: 'espota', kind: 'sketch', ...options });
}

function told(result: UpdateResult): string {
  return [result.outcome, 'why' in result ? result.why : '', result.outcome === 'rejected' ? result.error.printed : '']
    .filter((part) => part !== '')
    .join(' ');
}

function runs(device: ModelDevice, image: Uint8Array): boolean {
  return Buffer.compare(device.flash.subarray(0, image.length), image) === 0;
}

test('installs a valid update over every transport, raw or gzip-compressed, signed or unsigned', (t) => {
  const transport = fc.constantFrom<Transport>('espota', 'http', 'web');
  const core = fc.constantFrom('2.7.1', '2.7.3', '2.7.4', '3.0.0', '3.0.2', '3.1.2', '3.1.3');
  const wishes = fc.record({
    sizeBytes: fc.integer({ min: 30_000, max: 300_000 }),
    noise: fc.double({ min: 0.3, max: 1, noNaN: true }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(
      wishes,
      core,
      transport,
      fc.boolean(),
      fc.boolean(),
      (sketchWishes, release, via, compressed, secured) => {
        const capabilities = coreCapabilities(release);
        const isDoomed = secured && compressed && capabilities?.cutsTrailerOff === false;
        const image = sketchOf(sketchWishes);
        const payload = compressed ? alignedGzipOf(image) : image;
        const device = deviceOf({ core: release, ...(secured ? { verifier: keyOf('current') } : {}) });
        const before = device.flash.slice();
        const result = updating(device, secured ? signed(payload) : payload, { transport: via, expected: image });
        t.is(Buffer.compare(device.flash, before), 0, 'the device that was handed in is as it was');
        if (isDoomed) return void t.is(told(result), 'bricked size-word-wrong');
        // The web updater stages at a low address, so eboot can overwrite its input. A separate test covers this case.
        if (compressed && via === 'web' && result.outcome === 'bricked')
          return void t.is(result.why, 'input-overwritten');
        t.is(told(result), 'updated');
        t.true(runs(result.device, image));
        t.is(result.device.sketchSizeBytes, image.length);
        const { fsStart } = device;
        t.is(
          Buffer.compare(result.device.flash.subarray(fsStart), before.subarray(fsStart)),
          0,
          'nothing else changed',
        );
      },
    ),
    propertyRuns(50, 5_000),
  );
});

test('a web update overwrites its gzip input only if it is staged lower than the profile allows', (t) => {
  let overtaken = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 20_000, max: 400_000 }),
      fc.integer({ min: 8000, max: 40_000 }),
      fc.nat(),
      fc.constantFrom('2.7.4', '3.1.2'),
      (easyBytes, hardBytes, seed, core) => {
        const image = concatBytes(
          sketchOf({ sizeBytes: easyBytes, noise: 0.02, seed }),
          noisyBytes(hardBytes, 1, seed),
        );
        const device = deviceOf({ core });
        const gzip = gzipOf(image);
        const staging = stagingFor(device, 'sketch', announcedSize(device, 'web', 'sketch', gzip.length));
        const profile = modeledProfile(gzip, image.length);
        if (staging.outcome === 'no-space' || profile === undefined) return t.fail('it fits and inflates');
        const isSafe = staging.address >= lowestSafeStaging(profile, device.capabilities.erasesBeforeInflating);
        if (!isSafe) overtaken++;
        const result = updating(device, gzip, { transport: 'web', expected: image });
        t.is(told(result), isSafe ? 'updated' : 'bricked input-overwritten');
        t.is(
          told(updating(device, gzip, { transport: 'espota', expected: image })),
          'updated',
          'from the top all is well',
        );
      },
    ),
    propertyRuns(40, 5_000),
  );
  t.true(overtaken > 20, `${overtaken} were overtaken`);
});

test('a web update reports the first input sector that eboot overwrites', (t) => {
  const device = deviceOf();
  const image = concatBytes(sketchOf({ sizeBytes: 300_000, noise: 0 }), noisyBytes(20_000, 1, 41));
  const result = updating(device, gzipOf(image), { transport: 'web', expected: image });
  if (result.outcome !== 'bricked') return t.fail(told(result));
  t.is(result.why, 'input-overwritten');
  const stagedSector = roundUpToSector(device.sketchSizeBytes) / 4096 + 1;
  t.is(result.sector, stagedSector + 1, 'the first sector of the staged bytes was read in time');
});

test('a signed gzip-compressed image bricks devices on cores 2.7.0 to 2.7.4 and devices without a key', (t) => {
  const image = sketchOf({ seed: 5 });
  const sent = signed(alignedGzipOf(image));
  for (const core of ['2.7.0', '2.7.1', '2.7.3', '2.7.4']) {
    const secured = updating(deviceOf({ core, verifier: keyOf('current') }), sent, { expected: image });
    t.is(told(secured), 'bricked size-word-wrong', core);
  }
  for (const core of ['2.7.4', '3.0.0', '3.1.2', '3.1.3']) {
    t.is(told(updating(deviceOf({ core }), sent, { expected: image })), 'bricked size-word-wrong', core);
    t.is(told(updating(deviceOf({ core }), sent)), 'bricked not-loadable', core);
    t.is(told(updating(deviceOf({ core }), signed(image), { expected: image })), 'updated', 'raw is fine there');
  }
  t.is(told(updating(deviceOf({ verifier: keyOf('current') }), sent, { expected: image })), 'updated');
});

test('installs a gzip-compressed image for a larger flash and then rejects the next update', (t) => {
  const large = sketchOf({ sizeNibble: 4, seed: 6 });
  const first = updating(deviceOf(), gzipOf(large), { expected: large });
  t.is(told(first), 'updated');
  const second = updating(first.device, sketchOf({ seed: 7 }));
  t.is(told(second), 'rejected ERROR[8]: Flash config wrong: real: 1048576, SDK: 4194304');
});

test("a raw image is patched to the device's flash mode, and a gzip-compressed image keeps its own mode", (t) => {
  const image = sketchOf({ mode: 'qio', seed: 8 });
  t.is(updating(deviceOf({ flashMode: 'dout' }), image, { expected: image }).device.flashMode, 'dout');
  t.is(updating(deviceOf({ flashMode: 'dout' }), gzipOf(image), { expected: image }).device.flashMode, 'qio');
});

test('data behind the gzip data bricks the device, or prevents the copy if it consists of zeros', (t) => {
  const image = sketchOf({ seed: 9, sizeBytes: 60_000 });
  const device = deviceOf();
  const halves = concatBytes(gzipSync(image.subarray(0, 30_000)), gzipSync(image.subarray(30_000)));
  t.regex(told(updating(device, halves, { expected: image })), /^bricked/);
  t.regex(
    told(updating(device, concatBytes(gzipOf(image), Uint8Array.of(0x20, 0, 0)), { expected: image })),
    /^bricked size-word-wrong/,
  );
  t.is(
    told(updating(device, concatBytes(gzipOf(image), new Uint8Array(4)), { expected: image })),
    'kept nothing-to-copy',
  );
});

test('a sketch that inflates past the end of the sketch area overwrites the filesystem', (t) => {
  const device = deviceOf({ fsStart: 0x40000, fsEnd: 0x50000 });
  device.flash.fill(0x11, device.fsStart, device.fsEnd);
  const image = sketchOf({ sizeBytes: 0x44000, noise: 0.05, seed: 10 });
  const result = updating(device, gzipOf(image), { expected: image });
  if (result.outcome !== 'damaged') return t.fail(told(result));
  t.deepEqual([result.why, result.sector], ['filesystem-overwritten', 0x40]);
});

test('a device on core 2.7.2 hangs only if the copy reaches the staged bytes', (t) => {
  const small = sketchOf({ seed: 11 });
  t.is(told(updating(deviceOf({ core: '2.7.2' }), small, { expected: small })), 'updated');
  const large = sketchOf({ seed: 12, sizeBytes: 600_000, noise: 1 });
  t.is(told(updating(deviceOf({ core: '2.7.2' }), large, { expected: large })), 'bricked compare-failed');
  t.is(told(updating(deviceOf({ core: '2.7.3' }), large, { expected: large })), 'updated');
});

test('a signed filesystem image sent as a sketch is rejected if raw and bricks the device if compressed', (t) => {
  const filesystem = noisyBytes(0x8000, 0.2, 42);
  filesystem[2] = 2;
  const device = deviceOf({ verifier: keyOf('current') });
  t.regex(told(updating(device, signed(filesystem))), /^rejected ERROR\[10\]/);
  t.is(told(updating(device, signed(alignedGzipOf(filesystem)))), 'bricked not-loadable');
});

test('a compressed filesystem image is installed only with ATOMIC_FS_UPDATE', (t) => {
  const filesystem = noisyBytes(0x10000, 0.1, 43);
  const options = { kind: 'filesystem', expected: filesystem } as const;
  const inPlace = updating(deviceOf(), gzipOf(filesystem), options);
  t.is(told(inPlace), 'damaged filesystem-differs');
  const atomic = updating(deviceOf({ atomicFs: true }), gzipOf(filesystem), options);
  t.is(told(atomic), 'updated');
  const { flash, fsStart } = atomic.device;
  t.is(Buffer.compare(flash.subarray(fsStart, fsStart + filesystem.length), filesystem), 0);
});

test('a filesystem image that inflates past the end of its partition overwrites the flash after the partition', (t) => {
  const filesystem = noisyBytes(0x12000, 0.1, 44);
  const result = updating(deviceOf({ atomicFs: true }), gzipOf(filesystem), {
    kind: 'filesystem',
    expected: filesystem,
  });
  if (result.outcome !== 'damaged') return t.fail(told(result));
  t.deepEqual([result.why, result.sector], ['beyond-filesystem', deviceOf().fsEnd / 4096]);
});

test('a device on core 2.5.x writes a signed filesystem image past the end of its partition', (t) => {
  const filesystem = noisyBytes(0x10000, 1, 45);
  filesystem[2] = 2;
  const device = deviceOf({ core: '2.5.2', verifier: keyOf('legacy') });
  const result = updating(device, signed(filesystem, 'legacy'), { kind: 'filesystem', expected: filesystem });
  t.is(told(result), 'damaged beyond-filesystem');
});

test('a device on core 2.6.2 overwrites byte 2 of a filesystem image with its own flash mode', (t) => {
  const filesystem = noisyBytes(0x4000, 1, 46);
  filesystem[2] = 0xf0;
  const options = { kind: 'filesystem', expected: filesystem } as const;
  t.is(told(updating(deviceOf({ core: '2.6.2' }), filesystem, options)), 'damaged filesystem-differs');
  t.is(told(updating(deviceOf({ core: '2.6.3' }), filesystem, options)), 'updated');
});

test('updates a device from an old core to a signed gzip-compressed image in two hops', (t) => {
  const first = sketchOf({ seed: 13 });
  const second = sketchOf({ seed: 14 });
  const old = deviceOf({ core: '2.6.3' });
  t.regex(told(updating(old, gzipOf(first))), /^rejected/);
  const capabilities = coreCapabilities('3.1.2');
  if (capabilities === undefined) return t.fail();
  const hop = updating(old, first, { expected: first, next: { capabilities, verifier: keyOf('current') } });
  t.is(told(hop), 'updated');
  t.regex(told(updating(hop.device, gzipOf(second))), /^rejected ERROR\[12\]/);
  t.is(told(updating(hop.device, signed(alignedGzipOf(second)), { expected: second })), 'updated');
});

test('a device keeps its sketch after a crash or a gzip header that eboot rejects', (t) => {
  const present = sketchOf({ seed: 99 });
  const crashed = updating(
    deviceOf({ core: '2.6.1', verifier: keyOf('current') }),
    signed(sketchOf()).fill(1, 6000, 7000),
  );
  t.is(told(crashed), 'crashed');
  t.true(runs(crashed.device, present));
  const reserved = gzipOf(sketchOf());
  reserved[3] = 0x80;
  const kept = updating(deviceOf(), reserved);
  t.is(told(kept), 'kept copy-refused');
  t.true(runs(kept.device, present));
});

test('installs a real zopfli-compressed sketch on a device with 4 MB of flash', async (t) => {
  const image = Uint8Array.from(readFileSync(new URL('../../fixtures/firmware/door.bin', import.meta.url)));
  const device = deviceOf({ chipSizeBytes: 4 * 1024 * 1024, fsStart: 0x200000, fsEnd: 0x3fa000 });
  const compressed = await zopfli(image, { numiterations: 1 });
  t.is(told(updating(device, compressed, { expected: image })), 'updated');
  t.is(told(updating(device, compressed)), 'updated', 'and can be loaded');
});

test('an update has the same result whether it is sent in one piece or in chunks', (t) => {
  const image = sketchOf({ seed: 15, noise: 1 });
  const bytes = gzipOf(image);
  const options = { transport: 'espota', kind: 'sketch', expected: image } as const;
  const whole = runUpdate(deviceOf(), bytes, options);
  let step = beginUpdate(deviceOf(), { kind: 'sketch', sizeBytes: bytes.length });
  for (let start = 0; start < bytes.length && step.outcome === 'running'; start += 1460) {
    step = writeUpdate(step.update, bytes.subarray(start, start + 1460));
  }
  if (step.outcome === 'rejected') return t.fail(step.error.printed);
  const result = restart(endUpdate(step.update, false), bytes, options);
  t.is(told(result), 'updated');
  t.is(Buffer.compare(result.device.flash, whole.device.flash), 0);
});

test('updates a device model that was built from facts without flash content', (t) => {
  const { flash: _flash, leftoverMd5: _md5, ...facts } = deviceOf();
  const image = sketchOf({ seed: 16 });
  t.is(told(updating(deviceAtRest(facts), image, { expected: image })), 'updated');
  t.regex(told(updating(deviceAtRest(facts), sketchOf({ sizeNibble: 3 }))), /^rejected ERROR\[9\]/);
});

test('the device model does not throw for any combination of bytes and device', (t) => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 9000 }),
    fc
      .uint8Array({ maxLength: 9000 })
      .map((noise) => concatBytes(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0), noise)),
    fc.uint8Array({ maxLength: 9000 }).map((noise) => concatBytes(Uint8Array.of(0xe9, 1, 2, 0x20), noise)),
  );
  const core = fc.constantFrom('2.4.0', '2.5.1', '2.6.2', '2.7.2', '2.7.4', '3.0.1', '3.1.2');
  const options = fc.record({
    transport: fc.constantFrom<Transport>('espota', 'http', 'web'),
    kind: fc.constantFrom('sketch' as const, 'filesystem' as const),
  });
  fc.assert(
    fc.property(anything, core, options, fc.boolean(), (bytes, release, delivery, atomicFs) => {
      const result = runUpdate(deviceOf({ core: release, atomicFs }), bytes, delivery);
      t.true(['updated', 'kept', 'damaged', 'bricked', 'rejected', 'crashed'].includes(result.outcome));
      t.is(result.device.flash.length, result.device.chipSizeBytes);
    }),
    propertyRuns(100, 10_000),
  );
});
