import { gzipSync } from 'node:zlib';
import test from 'ava';
import { alignGzip } from '../../../src/core/compression/alignment.ts';
import { runUpdate } from '../../../src/core/device-model/run-update.ts';
import { flashModes } from '../../../src/core/firmware/flash-header.ts';
import { productDigest } from '../../../src/core/firmware/update-metadata.ts';
import type { UpdateMetadata } from '../../../src/core/model/manifest.ts';
import { concatBytes } from '../../support/image-builder.ts';
import { makeKeyPair } from '../../support/signed-file.ts';
import {
  filesystem,
  first,
  guardedCores,
  gzip,
  image,
  outcomeOf,
  raw,
  second,
  sign,
  unknown,
} from './guarded-device.ts';
import { deviceOf, sketchOf } from './recipes.ts';

const gzipCores = guardedCores.slice(2);

test('a device with the guard accepts an update signed by any of its keys, raw or gzip-compressed', (t) => {
  for (const core of guardedCores) {
    for (const key of [first, second]) {
      t.is(outcomeOf(sign(raw(), key), { core, require: 'metadata' }), 'updated', core);
      t.is(outcomeOf(sign(image, key), { core }), 'updated', core);
    }
  }
  // Without the guard, cores 2.7.0 to 2.7.4 are bricked by signed gzip data.
  for (const core of gzipCores) t.is(outcomeOf(sign(gzip(), second), { core, require: 'metadata' }), 'updated', core);
});

test('a device with the guard rejects an unsigned update and unknown keys, and does not crash on core 2.6', (t) => {
  for (const core of guardedCores) {
    t.is(outcomeOf(sign(raw(), unknown), { core }), 1, core);
    t.is(outcomeOf(image, { core }), 1, core);
    t.is(outcomeOf(sign(raw(), makeKeyPair(1536)), { core }), 1, core);
  }
});

test('a device with the guard accepts raw signed sketches of each flash mode, and eboot installs its own mode', (t) => {
  for (const mode of flashModes) {
    const sketch = sketchOf({ mode });
    for (const flashMode of flashModes) {
      const payload = raw({ flashModeByte: flashModes.indexOf(mode) }, sketch);
      const options = { expected: sketch };
      t.is(outcomeOf(sign(payload), { flashMode, options }), 'updated', `${mode} on ${flashMode}`);
      const isSame = mode === flashMode;
      t.is(outcomeOf(sign(sketch), { flashMode, options }), isSame ? 'updated' : 1, `${mode} on ${flashMode}, plain`);
    }
  }
});

test('the guard rejects what the metadata of an update rules out, with a code for each reason', (t) => {
  const cases: readonly (readonly [Partial<UpdateMetadata>, string | number])[] = [
    [{ product: productDigest('window') }, 3],
    [{ kind: 'filesystem' }, 4],
    [{ kind: 'unknown' }, 4],
    [{ securityVersion: 1 }, 5],
    [{ securityVersion: 3 }, 'updated'],
    [{ securityVersion: 0xffffffff }, 'updated'],
    [{ format: 7 }, 'updated'],
  ];
  for (const [changes, expected] of cases) {
    t.is(outcomeOf(sign(raw(changes))), expected, JSON.stringify(changes));
    t.is(outcomeOf(sign(gzip(changes))), expected, JSON.stringify(changes));
  }
  t.is(outcomeOf(sign(image), { require: 'metadata' }), 2);
  t.is(outcomeOf(sign(alignGzip(Uint8Array.from(gzipSync(image)))), { require: 'metadata' }), 2);
});

test('the guard rejects gzip data that would brick the device', (t) => {
  t.is(outcomeOf(sign(concatBytes(gzip(), Uint8Array.of(0x34, 0x12, 0, 0)))), 6);
  const large = gzip({}, new Uint8Array(1024 * 1024));
  t.is(outcomeOf(sign(large)), 10);
  t.is(outcomeOf(sign(alignGzip(Uint8Array.from(gzipSync(new Uint8Array(1024 * 1024)))))), 10, 'without metadata');
  t.is(outcomeOf(sign(gzip({ flashSizeByte: 0x30 }))), 8);
  t.is(outcomeOf(sign(gzip({ flashSizeByte: 0x90 }))), 'updated', 'FLASH_MAP_SUPPORT');
  t.is(outcomeOf(sign(gzip({ lowestStart: 0x100000 }))), 9);
});

test('the guard accepts the flash modes of compressed sketches that boot on the device', (t) => {
  for (const [byte, mode] of flashModes.entries()) {
    const sketch = sketchOf({ mode });
    for (const flashMode of flashModes) {
      const boots = mode === flashMode || mode === 'dout' || flashMode === 'qio';
      const payload = gzip({ flashModeByte: byte }, sketch);
      const outcome = outcomeOf(sign(payload), { flashMode, options: { expected: sketch } });
      t.is(outcome, boots ? 'updated' : 7, `${mode} on ${flashMode}`);
    }
  }
});

test('the guard checks the kind of filesystem updates', (t) => {
  const fs = { kind: 'filesystem', flashModeByte: 0, flashSizeByte: 0 } as const;
  const options = { kind: 'filesystem', expected: filesystem } as const;
  const cut = filesystem.subarray(0, 8192);
  t.is(outcomeOf(sign(raw(fs, cut)), { options: { kind: 'filesystem', expected: cut } }), 'updated');
  t.is(outcomeOf(sign(gzip(fs, filesystem)), { options, atomicFs: true }), 'updated');
  t.is(outcomeOf(sign(gzip({}, filesystem)), { options, atomicFs: true }), 4);
  t.is(outcomeOf(sign(gzip(fs, filesystem))), 4);
  const largest = gzip(fs, new Uint8Array(filesystem.length + 4096));
  t.is(outcomeOf(sign(largest), { options, atomicFs: true }), 10);
});

test('a device without the guard accepts every artifact with metadata that it would accept without', (t) => {
  for (const core of ['2.7.4', '3.0.2', '3.1.2', '3.1.3']) {
    for (const flashMode of flashModes) {
      const device = deviceOf({ core, flashMode });
      const sketch = sketchOf({ mode: flashMode });
      for (const bytes of [gzip({}, sketch), raw({}, sketch)]) {
        const result = runUpdate(device, bytes, { transport: 'http', kind: 'sketch', expected: sketch });
        t.is(result.outcome, 'updated', core);
      }
    }
  }
});
