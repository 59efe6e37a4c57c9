import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { roundUpToSector } from '../../../src/core/device-model/flash.ts';
import type { ModelDevice } from '../../../src/core/device-model/model-device.ts';
import { type Delivery, deliver } from '../../../src/core/device-model/transports.ts';
import {
  beginUpdate,
  type EndResult,
  endUpdate,
  type RunningUpdate,
  type UpdateRequest,
  writeUpdate,
} from '../../../src/core/device-model/updater.ts';
import { concatBytes } from '../../support/image-builder.ts';
import { deviceOf, keyOf, md5Of, noisyBytes, signed, sketchOf } from './recipes.ts';

const sketch = sketchOf();
const gzip = Uint8Array.from(gzipSync(sketch));

/** Returns a gzip file whose length modulo 4 is `remainder`. The file name is padded to reach this length. */
function gzipOfRemainder(remainder: number): Uint8Array {
  for (let nameBytes = 1; ; nameBytes++) {
    const name = new Uint8Array(nameBytes).fill(0x61);
    const named = concatBytes(gzip.subarray(0, 10), name, Uint8Array.of(0), gzip.subarray(10));
    named[3] = 8;
    if (named.length % 4 === remainder) return named;
  }
}

function sending(device: ModelDevice, bytes: Uint8Array, delivery: Partial<Delivery> = {}): EndResult {
  return deliver({ ...device, flash: device.flash.slice() }, bytes, {
    transport: 'espota',
    kind: 'sketch',
    ...delivery,
  });
}

function printed(result: EndResult): string {
  return result.outcome === 'rejected' ? result.error.printed : result.outcome;
}

function begun(device: ModelDevice, request: UpdateRequest): RunningUpdate {
  const result = beginUpdate(device, request);
  if (result.outcome === 'rejected') throw new Error(result.error.printed);
  return result.update;
}

test('stages espota and HTTP updates directly below the filesystem, and web updates above the sketch', (t) => {
  const device = deviceOf();
  for (const transport of ['espota', 'http'] as const) {
    const result = sending(device, sketch, { transport });
    t.is(result.outcome, 'staged');
    if (result.outcome !== 'staged') return;
    const source = device.fsStart - roundUpToSector(sketch.length);
    t.deepEqual(result.command, { source, destination: 0, sizeBytes: sketch.length });
    t.is(Buffer.compare(result.device.flash.subarray(source, source + sketch.length), sketch), 0);
  }
  const result = sending(device, sketch, { transport: 'web' });
  if (result.outcome !== 'staged') return t.fail(printed(result));
  t.deepEqual(result.command, {
    source: roundUpToSector(device.sketchSizeBytes) + 0x1000,
    destination: 0,
    sizeBytes: sketch.length,
  });
});

test('accepts an update that exactly fills the free space and rejects an update that is one byte larger', (t) => {
  const device = deviceOf({ fsStart: 0x30000 });
  const freeBytes = device.fsStart - roundUpToSector(device.sketchSizeBytes);
  t.is(beginUpdate(device, { kind: 'sketch', sizeBytes: freeBytes }).outcome, 'running');
  const result = beginUpdate(device, { kind: 'sketch', sizeBytes: freeBytes + 1 });
  t.is(result.outcome === 'rejected' ? result.error.printed : '', 'ERROR[4]: Not Enough Space');
});

test('rejects an oversized sketch with ERROR 4 over espota and web, and with error -100 over HTTP', (t) => {
  const device = deviceOf({ fsStart: 0x30000 });
  const large = sketchOf({ sizeBytes: 200_000 });
  t.is(printed(sending(device, large)), 'ERROR[4]: Not Enough Space');
  t.is(printed(sending(device, large, { transport: 'web' })), 'ERROR[4]: Not Enough Space');
  const overHttp = sending(device, large, { transport: 'http' });
  t.deepEqual(overHttp.outcome === 'rejected' ? [overHttp.error.code, overHttp.error.text] : [], [
    -100,
    'Not Enough space',
  ]);
});

test('a core before 2.4.2 wraps the address of an oversized update and fails to erase outside the chip', (t) => {
  const device = deviceOf({ core: '2.4.1', fsStart: 0x30000 });
  t.is(printed(sending(device, sketchOf({ sizeBytes: 300_000 }))), 'ERROR[2]: Flash Erase Failed');
});

test('rejects an empty update', (t) => {
  t.is(printed(sending(deviceOf(), new Uint8Array())), 'ERROR[5]: Bad Size Given');
  t.is(printed(sending(deviceOf(), new Uint8Array(), { transport: 'web' })), 'ERROR[13]: No data supplied');
  t.is(printed(sending(deviceOf(), new Uint8Array(), { transport: 'http' })), 'Server Did Not Report Size');
});

test('the web updater of core 3.1.2 rejects a one-sector update with "No data supplied"', (t) => {
  t.is(printed(sending(deviceOf(), sketch.subarray(0, 4096), { transport: 'web' })), 'ERROR[13]: No data supplied');
  t.is(printed(sending(deviceOf({ core: '2.7.4' }), sketch.subarray(0, 4096), { transport: 'web' })), 'staged');
});

test('rejects bytes that are not an image, with the error message of the core', (t) => {
  const page = new TextEncoder().encode('<html>not found</html>');
  t.is(printed(sending(deviceOf(), page)), 'ERROR[10]: Magic byte is not 0xE9');
  t.is(printed(sending(deviceOf({ core: '2.7.4' }), page)), 'ERROR[10]: Magic byte is wrong, not 0xE9');
  t.is(printed(sending(deviceOf(), page, { transport: 'http' })), 'Verify Bin Header Failed');
});

test('accepts gzip-compressed images on core 2.7.0 and later but rejects them on earlier cores', (t) => {
  for (const transport of ['espota', 'http', 'web'] as const) {
    t.is(printed(sending(deviceOf({ core: '2.7.0' }), gzip, { transport })), 'staged');
    t.regex(
      printed(sending(deviceOf({ core: '2.6.3' }), gzip, { transport })),
      /Magic byte is wrong|Verify Bin Header/,
    );
  }
});

test('rejects an image for a larger flash unless the image is compressed or the flash layout is automatic', (t) => {
  const device = deviceOf();
  const large = sketchOf({ sizeNibble: 4 });
  t.is(printed(sending(device, large)), 'ERROR[9]: new Flash config wrong, real size: 1048576');
  t.is(printed(sending(deviceOf({ core: '2.7.4' }), large)), 'ERROR[9]: new Flash config wrong real: 1048576');
  const overHttp = sending(device, large, { transport: 'http' });
  t.is(overHttp.outcome === 'rejected' ? overHttp.error.code : 0, -107);
  t.is(sending(device, Uint8Array.from(gzipSync(large))).outcome, 'staged');
  t.is(sending(deviceOf({ flashMap: true }), large).outcome, 'staged');
});

test('rejects updates with ERROR 8 if the flash header states a size larger than the chip', (t) => {
  const device = deviceOf({ runs: sketchOf({ sizeNibble: 4 }) });
  t.is(printed(sending(device, sketch)), 'ERROR[8]: Flash config wrong: real: 1048576, SDK: 4194304');
  t.is(sending({ ...device, flashMap: true }, sketch).outcome, 'staged');
});

test("sets byte 2 to the device's flash mode and checks the MD5 of the original bytes", (t) => {
  const device = deviceOf({ flashMode: 'dout' });
  const result = sending(device, sketchOf({ mode: 'qio' }), { md5: md5Of(sketchOf({ mode: 'qio' })) });
  if (result.outcome !== 'staged') return t.fail(printed(result));
  t.is(result.device.flash[result.command.source + 2], 3);
});

test('leaves byte 2 unchanged in gzip-compressed images, on cores before 2.4.2, and if the flash mode already matches', (t) => {
  for (const [device, bytes] of [
    [deviceOf({ flashMode: 'dout' }), gzip],
    [deviceOf({ flashMode: 'dout', core: '2.4.1' }), sketch],
    [deviceOf({ flashMode: 'dio' }), sketch],
  ] as const) {
    const result = sending(device, bytes);
    if (result.outcome !== 'staged') return t.fail(printed(result));
    const { source } = result.command;
    t.is(Buffer.compare(result.device.flash.subarray(source, source + bytes.length), bytes), 0);
  }
});

test('rejects the MD5 if the flash mode is unknown, because byte 2 is restored as 255', (t) => {
  const odd = sketch.slice();
  odd[2] = 7;
  t.regex(printed(sending(deviceOf(), odd, { md5: md5Of(odd) })), /^ERROR\[7\]: MD5 verification failed: expected: /);
});

test('checks the MD5 on a device without a key unless the transport is web', (t) => {
  t.is(printed(sending(deviceOf(), sketch, { md5: md5Of(sketch).toUpperCase() })), 'staged');
  t.is(printed(sending(deviceOf(), sketch)), 'staged');
  const wrong = '0'.repeat(32);
  const expected = `expected: ${wrong}, calculated: ${md5Of(sketch)}`;
  t.is(printed(sending(deviceOf(), sketch, { md5: wrong })), `ERROR[7]: MD5 verification failed: ${expected}`);
  t.is(printed(sending(deviceOf({ core: '2.4.2' }), sketch, { md5: wrong })), 'ERROR[7]: MD5 Check Failed');
  t.is(printed(sending(deviceOf(), sketch, { md5: wrong, transport: 'web' })), 'staged');
});

test('the HTTP client rejects an MD5 with an invalid length', (t) => {
  t.is(printed(sending(deviceOf(), sketch, { md5: 'abc', transport: 'http' })), 'Wrong MD5');
});

test('a core before 3.0.0 reuses the MD5 of a failed update for the next update without an MD5', (t) => {
  for (const [core, second] of [
    ['2.7.4', 'rejected'],
    ['3.0.0', 'staged'],
  ] as const) {
    const failed = sending(deviceOf({ core }), sketch, { md5: '0'.repeat(32) });
    t.is(failed.outcome, 'rejected');
    t.is(sending(failed.device, sketch, { transport: 'web' }).outcome, second);
  }
});

test('checks the signature and ignores the MD5 if the device has a key', (t) => {
  const device = deviceOf({ verifier: keyOf('current') });
  const result = sending(device, signed(sketch), { md5: '0'.repeat(32) });
  if (result.outcome !== 'staged') return t.fail(printed(result));
  t.is(result.command.sizeBytes, sketch.length, 'the trailer is cut off');
  t.is(printed(sending(device, sketch)), 'ERROR[12]: Signature verification failed');
  t.is(printed(sending(device, signed(sketch, 'legacy'))), 'ERROR[12]: Signature verification failed');
  t.is(printed(sending(device, Uint8Array.of(0xe9))), 'ERROR[12]: Signature verification failed');
});

test('rejects a signed image if any byte except byte 2 changes', (t) => {
  const device = deviceOf({ verifier: keyOf('current') });
  const bytes = signed(sketch);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ change;
      // The core's Updater replaces byte 2 before it verifies the signature.
      t.is(sending(device, changed).outcome, at === 2 ? 'staged' : 'rejected');
    }),
    { numRuns: 60 },
  );
});

test("rejects a signed raw image with ERROR 12 if its flash mode differs from the device's", (t) => {
  const device = deviceOf({ verifier: keyOf('current'), flashMode: 'dout' });
  t.is(printed(sending(device, signed(sketchOf({ mode: 'dio' })))), 'ERROR[12]: Signature verification failed');
  t.is(printed(sending(device, signed(sketchOf({ mode: 'dout' })))), 'staged');
  t.is(printed(sending(device, signed(gzipOfRemainder(0)))), 'staged');
});

test('core 2.5.2 accepts the legacy signature format and passes a size to eboot that includes the trailer', (t) => {
  const device = deviceOf({ core: '2.5.2', verifier: keyOf('legacy') });
  const result = sending(device, signed(sketch, 'legacy'));
  if (result.outcome !== 'staged') return t.fail(printed(result));
  t.is(result.command.sizeBytes, signed(sketch, 'legacy').length);
});

test('a core before 2.7.0 crashes on an invalid signature but not on a missing signature', (t) => {
  const device = deviceOf({ core: '2.6.3', verifier: keyOf('current') });
  const bad = signed(sketch).fill(0x55, 5000, 5100);
  t.is(sending(device, bad).outcome, 'crashed');
  t.is(printed(sending(device, sketch)), 'ERROR[12]: Signature verification failed');
  t.is(
    printed(sending(deviceOf({ core: '2.7.0', verifier: keyOf('current') }), bad)),
    'ERROR[12]: Signature verification failed',
  );
});

test('a core without signing support ignores the key', (t) => {
  t.is(sending(deviceOf({ core: '2.4.2', verifier: keyOf('current') }), sketch).outcome, 'staged');
});

test('only cores 3.1.0 to 3.1.2 reject a signed payload whose length is not a multiple of 4', (t) => {
  for (const [core, outcomes] of [
    ['3.0.2', ['staged', 'staged', 'staged', 'staged']],
    ['3.1.0', ['staged', 'rejected', 'rejected', 'rejected']],
    ['3.1.2', ['staged', 'rejected', 'rejected', 'rejected']],
    ['3.1.3', ['staged', 'staged', 'staged', 'staged']],
  ] as const) {
    const device = deviceOf({ core, verifier: keyOf('current') });
    const seen = [0, 1, 2, 3].map((remainder) => sending(device, signed(gzipOfRemainder(remainder))).outcome);
    t.deepEqual(seen, [...outcomes], core);
  }
});

test('writes a filesystem image in place even if the device rejects the image afterward', (t) => {
  const device = deviceOf({ verifier: keyOf('current') });
  const image = noisyBytes(0x8000, 1, 21);
  const accepted = sending(device, signed(image), { kind: 'filesystem' });
  t.is(accepted.outcome, 'written');
  t.is(Buffer.compare(accepted.device.flash.subarray(device.fsStart, device.fsStart + image.length), image), 0);
  const refused = sending(device, image, { kind: 'filesystem' });
  t.is(refused.outcome, 'rejected');
  t.is(Buffer.compare(refused.device.flash.subarray(device.fsStart, device.fsStart + image.length), image), 0);
});

test('limits a filesystem image and its signature to the partition size on core 2.6.0 and later', (t) => {
  const sizeBytes = 0x10000;
  const image = noisyBytes(sizeBytes, 1, 22);
  // Flash mode of the device. With any other mode, core 2.5.2 would change byte 2 of the filesystem image.
  image[2] = 2;
  t.is(printed(sending(deviceOf(), image, { kind: 'filesystem' })), 'written');
  const secured = { verifier: keyOf('current') };
  t.is(printed(sending(deviceOf(secured), signed(image), { kind: 'filesystem' })), 'ERROR[4]: Not Enough Space');
  const old = sending(deviceOf({ core: '2.5.2', verifier: keyOf('legacy') }), signed(image, 'legacy'), {
    kind: 'filesystem',
  });
  t.is(old.outcome, 'written');
  t.not(old.device.flash[old.device.fsEnd], 0xff, 'the EEPROM sector is overwritten');
});

test('stages a filesystem image below its partition if the sketch uses ATOMIC_FS_UPDATE', (t) => {
  const device = deviceOf({ atomicFs: true });
  const image = noisyBytes(0x6000, 0.2, 23);
  const result = sending(device, image, { kind: 'filesystem' });
  if (result.outcome !== 'staged') return t.fail(printed(result));
  t.deepEqual(result.command, { source: device.fsStart - 0x6000, destination: device.fsStart, sizeBytes: 0x6000 });
  const cramped = deviceOf({ atomicFs: true, fsStart: 0x13000, fsEnd: 0x23000 });
  t.is(sending(cramped, image, { kind: 'filesystem' }).outcome, 'staged');
  t.is(printed(sending(cramped, image, { kind: 'filesystem', transport: 'web' })), 'ERROR[4]: Not Enough Space');
  t.is(sending(deviceOf({ atomicFs: true, core: '2.5.2' }), image, { kind: 'filesystem' }).outcome, 'written');
});

test('cores 2.4.2 to 2.6.2 also write the flash mode to byte 2 of a filesystem image', (t) => {
  const image = noisyBytes(0x2000, 1, 24);
  image[2] = 0xaa;
  for (const [core, byte] of [
    ['2.4.1', 0xaa],
    ['2.4.2', 2],
    ['2.6.2', 2],
    ['2.6.3', 0xaa],
  ] as const) {
    const { flash, fsStart } = sending(deviceOf({ core }), image, { kind: 'filesystem' }).device;
    t.is(flash[fsStart + 2], byte, core);
  }
});

test('produces the same flash content for all chunk sizes', (t) => {
  const expected = sending(deviceOf(), sketch);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 20 }), (cuts) => {
      const device = deviceOf();
      let update = begun(device, { kind: 'sketch', sizeBytes: sketch.length, md5: md5Of(sketch) });
      for (let start = 0, turn = 0; start < sketch.length; turn++) {
        const length = turn > 40 ? sketch.length : (cuts[turn % cuts.length] ?? 0);
        const result = writeUpdate(update, sketch.subarray(start, start + length));
        if (result.outcome === 'rejected') return t.fail(result.error.printed);
        update = result.update;
        start += length;
      }
      const result = endUpdate(update, false);
      t.is(result.outcome, expected.outcome);
      t.is(Buffer.compare(result.device.flash, expected.device.flash), 0);
    }),
    { numRuns: 40 },
  );
});

test('rejects an incomplete update, without an error number, unless the update may end early', (t) => {
  const half = writeUpdate(begun(deviceOf(), { kind: 'sketch', sizeBytes: sketch.length }), sketch.subarray(0, 20_000));
  if (half.outcome === 'rejected') return t.fail(half.error.printed);
  t.is(printed(endUpdate(half.update, false)), 'ERROR[0]: No Error');
  const other = writeUpdate(
    begun(deviceOf(), { kind: 'sketch', sizeBytes: sketch.length }),
    sketch.subarray(0, 20_000),
  );
  if (other.outcome === 'rejected') return t.fail(other.error.printed);
  t.is(endUpdate(other.update, true).outcome, 'staged');
});

test('rejects bytes beyond the announced size', (t) => {
  const update = begun(deviceOf(), { kind: 'sketch', sizeBytes: 100 });
  const result = writeUpdate(update, new Uint8Array(101));
  t.is(result.outcome === 'rejected' ? result.error.printed : '', 'ERROR[4]: Not Enough Space');
});
