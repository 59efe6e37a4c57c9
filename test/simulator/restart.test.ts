import { gzipSync } from 'node:zlib';
import test from 'ava';
import { alignGzip } from '../../src/core/compression/alignment.ts';
import { productDigest, withRawMetadata } from '../../src/core/firmware/update-metadata.ts';
import { guardRecord, productHash } from '../../src/core/keys/guard-record.ts';
import { packImage } from '../../src/core/pack/pack-image.ts';
import { startVirtualDevice, syntheticSketch, type VirtualDevice } from '../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { buildImage } from '../support/image-builder.ts';
import { patienceMs } from '../support/patience.ts';
import { makeKeyPair, signFile } from '../support/signed-file.ts';
import { afterwards, bareHost, bareUpload, md5 } from './bare-host.ts';
import { holds } from './holds.ts';
import { patientTimings } from './patient-timings.ts';

const key = makeKeyPair();
const otherKey = makeKeyPair();
const running = { sizeBytes: 40_000, seed: 1 };
const open = syntheticSketch({ sizeBytes: 50_000, seed: 2 });
const keyed = syntheticSketch({ sizeBytes: 50_000, seed: 3, publicKey: key.publicKey });
const aligned = (bytes: Uint8Array) => alignGzip(Uint8Array.from(gzipSync(bytes)));
const signed = (bytes: Uint8Array, pair = key) => signFile(bytes, pair.privateKey, 'current');
const start = (options: VirtualDeviceOptions = {}) =>
  startVirtualDevice({ image: running, timings: patientTimings, ...options });

/** Uploads an image. Returns the next event if the device accepts the image, otherwise the error message. */
async function updated(t: Parameters<typeof bareUpload>[0], device: VirtualDevice, bytes: Uint8Array) {
  const after = afterwards(device);
  const { text } = await bareUpload(t, device, bytes);
  if (!text.endsWith('OK')) {
    after.catch(() => undefined);
    return text.replace(/^\d+/, '');
  }
  return (await after).event;
}

test('a device without a key accepts raw and gzip-compressed images and still has no key', async (t) => {
  for (const bytes of [open, aligned(open)]) {
    await using device = await start();
    t.is(await updated(t, device, bytes), 'boot');
    t.true(holds(device, open));
    t.like(device.state, {
      keyFingerprint: undefined,
      sketchMd5: md5(open),
      sketchSizeBytes: open.length,
      core: '3.1.2',
    });
  }
});

test('accepts raw and gzip-compressed images signed with its key and adopts the key in the image', async (t) => {
  for (const bytes of [keyed, aligned(keyed)]) {
    await using device = await start({ publicKey: key.publicKey });
    t.is(await updated(t, device, signed(bytes)), 'boot');
    t.like(device.state, { keyFingerprint: key.publicKey.fingerprint, sketchMd5: md5(keyed) });
  }
});

test('a device with a key rejects unsigned images and images signed with a different key', async (t) => {
  await using device = await start({ publicKey: key.publicKey });
  t.is(await updated(t, device, keyed), 'ERROR[12]: Signature verification failed\n');
  t.is(await updated(t, device, signed(keyed, otherKey)), 'ERROR[12]: Signature verification failed\n');
  t.is(device.state.restarts, 0);
});

test('checks no signatures after it installs a signed image that contains no key', async (t) => {
  await using device = await start({ publicKey: key.publicKey });
  t.is(await updated(t, device, signed(open)), 'boot');
  t.is(device.state.keyFingerprint, undefined);
  t.is(await updated(t, device, keyed), 'boot');
});

test('an image with a new key rotates the key, and the device then rejects the old key', async (t) => {
  await using device = await start({ publicKey: key.publicKey });
  const rotating = syntheticSketch({ sizeBytes: 50_000, seed: 4, publicKey: otherKey.publicKey });
  t.is(await updated(t, device, signed(rotating)), 'boot');
  t.is(device.state.keyFingerprint, otherKey.publicKey.fingerprint);
  t.is(await updated(t, device, signed(keyed)), 'ERROR[12]: Signature verification failed\n');
  t.is(await updated(t, device, signed(keyed, otherKey)), 'boot');
});

test('checks no signatures after an update with the public key set to none', async (t) => {
  await using device = await start({ publicKey: key.publicKey, next: { publicKey: 'none' } });
  t.is(await updated(t, device, signed(keyed)), 'boot');
  t.is(device.state.keyFingerprint, undefined);
  t.is(await updated(t, device, open), 'boot');
});

test('obtains the version and core of each new image from a function', async (t) => {
  const next = (image: Uint8Array) => ({ version: md5(image) === md5(keyed) ? '2' : '1', core: '3.0.2' });
  await using device = await start({ next });
  t.is(await updated(t, device, keyed), 'boot');
  t.like(device.state, { version: '2', core: '3.0.2' });
});

test('reads the version, layout and key of a new image from the manifest that lists its MD5', async (t) => {
  const layout = { fsStart: 0x100000, fsEnd: 0x3fa000 };
  const { build } = await packImage({
    path: 'door.bin',
    file: 'door.bin',
    image: keyed,
    elf: undefined,
    kind: 'sketch',
    publicKey: key.publicKey,
    compression: 'none',
    legacy: false,
    signCompressedFilesystem: false,
    enforcementDeclared: false,
    project: 'door',
    version: '1.2.3',
    board: undefined,
  });
  const manifest = { ...build.manifest, image: { ...build.manifest.image, layout } };
  await using device = await start({ flashMode: 'qio', manifests: [manifest] });
  t.is(await updated(t, device, keyed), 'boot');
  t.like(device.state, { version: '1.2.3', flashMode: 'qio', keyFingerprint: key.publicKey.fingerprint });
  t.not(device.state.sketchMd5, md5(keyed));
  const content = signed(new Uint8Array(5000).fill(0x44));
  const after = afterwards(device);
  await bareUpload(t, device, content, 100);
  await after;
  t.true(holds(device, content, layout.fsStart));
});

test('reads the core from the new image and keeps the current core if the core hash is unknown', async (t) => {
  await using device = await start({ core: '2.7.4' });
  const older = syntheticSketch({ sizeBytes: 50_000, seed: 5, coreGitHash: '9c3d0ab8' });
  t.is(await updated(t, device, open), 'boot');
  t.is(device.state.core, '3.1.2');
  t.is(await updated(t, device, older), 'boot');
  t.is(device.state.core, '3.1.2');
});

test('is bricked by a signed gzip-compressed image on core 2.7.4 and does not respond after OK', async (t) => {
  await using device = await start({ core: '2.7.4', publicKey: key.publicKey, webPort: 0 });
  t.is(await updated(t, device, signed(aligned(keyed))), 'bricked');
  t.like(device.state, { phase: 'bricked', bricked: 'size-word-wrong' });
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${open.length} ${md5(open)}\n`);
  t.true(await host.isSilent());
  const refused = await fetch(`http://127.0.0.1:${device.webPort}/update`).catch((error: Error) => error);
  t.true(refused instanceof Error);
  await device.close();
});

test('is bricked by a gzip-compressed image with trailing bytes', async (t) => {
  await using device = await start();
  const trailing = Buffer.concat([gzipSync(open), Uint8Array.of(0, 0x20, 0, 0)]);
  t.is(await updated(t, device, trailing), 'bricked');
});

test('accepts a raw image with a damaged application and is bricked by it', async (t) => {
  await using device = await start();
  const spoilt = open.slice();
  spoilt[30_000] = (spoilt[30_000] ?? 0) ^ 1;
  t.is(await updated(t, device, spoilt), 'bricked');
  t.is(device.state.bricked, 'not-loadable');
});

test('reports a gzip-compressed filesystem image as damage on a device that does not decompress it', async (t) => {
  await using device = await start();
  const after = afterwards(device);
  await bareUpload(t, device, aligned(new Uint8Array(20_000).fill(1)), 100);
  await after;
  t.is(device.state.damage, 'filesystem-differs');
});

test("patches an image to the device's flash mode and reports the MD5 of the patched image", async (t) => {
  await using device = await start({ flashMode: 'dout' });
  t.is(await updated(t, device, open), 'boot');
  const patched = open.slice();
  patched[2] = 3;
  t.like(device.state, { flashMode: 'dout', sketchMd5: md5(patched) });
});

test('restarts on a power cycle without any other change', async (t) => {
  await using device = await start();
  const before = device.state;
  const booted = afterwards(device);
  device.powerCycle();
  t.like(await booted, { event: 'boot', sketchMd5: before.sketchMd5 });
  t.deepEqual(device.state, { ...before, restarts: 1 });
});

test('runs the image in the options and reads the build properties from it', async (t) => {
  await using device = await startVirtualDevice({ image: keyed });
  t.true(holds(device, keyed));
  t.like(device.state, { sketchMd5: md5(keyed), core: '3.1.2', flashMode: 'dio', keyFingerprint: undefined });
});

test('rejects an unknown core', async (t) => {
  await t.throwsAsync(startVirtualDevice({ core: '1.0.0' }), { code: 'CORE_UNKNOWN' });
});

test('rejects pending and later waits for an event when the device is closed', async (t) => {
  const device = await start();
  const waiting = device.nextEvent(({ event }) => event === 'boot', patienceMs);
  await Promise.all([t.throwsAsync(waiting, { message: /was closed/ }), device.close()]);
  await t.throwsAsync(
    device.nextEvent(({ event }) => event === 'boot', patienceMs),
    { message: /was closed/ },
  );
});

test('a guard record does not check updates if the manifest or the chosen key shows a different verifier', async (t) => {
  const record = guardRecord({
    keys: [key.publicKey],
    product: productHash('door'),
    securityVersion: 0,
    require: 'metadata',
  });
  const image = buildImage({ flashContent: record, modeByte: 2 });
  const update = signed(buildImage({ flashContent: Uint8Array.of(1), modeByte: 2 }));
  const rejected = 'ERROR[12]: Signature verification failed\n';
  const verdict = async (options: VirtualDeviceOptions) => {
    await using device = await start({ image, ...options });
    return await updated(t, device, update);
  };
  const packed = { path: 'x.bin', image, publicKey: key.publicKey };
  const manifestWith = async (enforcement: 'elf' | 'declared') => {
    const { build } = await packImage({ ...packed, enforcementDeclared: true });
    return { ...build.manifest, enforcement };
  };
  t.is(await verdict({}), rejected);
  t.is(await verdict({ publicKey: key.publicKey }), rejected);
  t.is(await verdict({ publicKey: key.publicKey, manifests: [await manifestWith('elf')] }), rejected);
  t.is(await verdict({ publicKey: key.publicKey, manifests: [await manifestWith('declared')] }), 'boot');
  t.is(await verdict({ publicKey: 'none' }), 'boot');
  t.is(await verdict({ publicKey: otherKey.publicKey }), rejected, 'by the plain verifier');
});

test('a device whose image contains the guard accepts each key, and rejects an older security version', async (t) => {
  const record = (securityVersion: number) =>
    guardRecord({
      keys: [key.publicKey, otherKey.publicKey],
      product: productHash('door'),
      securityVersion,
      require: 'metadata',
    });
  const guarded = (securityVersion: number) => buildImage({ flashContent: record(securityVersion), modeByte: 2 });
  const update = (securityVersion: number, written: number) =>
    withRawMetadata(guarded(securityVersion), {
      format: 1,
      kind: 'sketch',
      flashModeByte: 2,
      flashSizeByte: 0,
      memberBytes: 0,
      lowestStart: 0,
      securityVersion: written,
      product: productDigest('door'),
    });
  await using device = await start({ image: guarded(2) });
  const rejected = 'ERROR[12]: Signature verification failed\n';
  t.is(await updated(t, device, signed(update(1, 1))), rejected);
  t.is(await updated(t, device, signed(guarded(2))), rejected, 'without metadata');
  t.is(await updated(t, device, update(2, 2)), rejected, 'unsigned');
  t.is(await updated(t, device, signed(update(3, 2), otherKey)), 'boot');
  // The new sketch has security version 3.
  t.is(await updated(t, device, signed(update(3, 2))), rejected);
  t.is(await updated(t, device, signed(update(3, 3))), 'boot');
});
