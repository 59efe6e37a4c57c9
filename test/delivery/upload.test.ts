import test, { type ExecutionContext } from 'ava';
import { readPrivateKey } from '../../src/core/keys/private-key.ts';
import type { Build } from '../../src/core/pack/build.ts';
import { packImage } from '../../src/core/pack/pack-image.ts';
import { signBuild } from '../../src/core/pack/sign-build.ts';
import { keyFileSigner } from '../../src/core/signing/key-file-signer.ts';
import { type UploadBuildOptions, uploadBuild } from '../../src/delivery/upload.ts';
import { syntheticSketch, type VirtualDevice } from '../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { door } from '../support/built-sketch.ts';
import { expectOtaError } from '../support/expected-error.ts';
import { mdnsPortOfThisProcess } from '../support/mdns-port.ts';
import { quickDevice, repeating, verdictsOf } from './quick.ts';

const mdnsPort = await mdnsPortOfThisProcess();
const privateKey = readPrivateKey(door.privatePem, 'private.key');
const { publicKey } = privateKey;
const known = { core: '3.1.2', signing: 'required', keyFingerprint: publicKey.fingerprint } as const;
/** Timings with which only the device ends a wait. */
const timings = { ...repeating, settleMs: 10, probeMs: 100, graceMs: 60_000, limitMs: 90_000 };

let count = 0;

function startDoor(t: ExecutionContext, options: VirtualDeviceOptions = {}): Promise<VirtualDevice> {
  const image = syntheticSketch({ sizeBytes: 60 * 1024, publicKey });
  return quickDevice(t, { host: '127.0.0.1', hostname: `upload-${++count}`, image, publicKey, ...options });
}

const elf = { path: 'door.ino.elf', bytes: door.elf };
const { build: unsigned } = await packImage({ path: 'door.ino.bin', image: door.bin, elf, publicKey });
const signed = await signBuild(unsigned, keyFileSigner(privateKey), 'private.key');

function upload(device: VirtualDevice, options: UploadBuildOptions & { build?: Build } = {}) {
  const { build = signed, ...rest } = options;
  const target = { host: device.host, port: device.otaPort, facts: known };
  return uploadBuild(build, target, { ...rest, timings: { ...timings, ...rest.timings } }, mdnsPort);
}

/** Updates that the device accepted. It also reports the probes, which it rejects. */
function acceptedBy(device: VirtualDevice): string[] {
  return verdictsOf(device).filter((verdict) => verdict === 'accepted');
}

test('upload selects an artifact, sends it and waits until the device responds again', async (t) => {
  const device = await startDoor(t);
  const steps: string[] = [];
  const result = await upload(device, { onStep: ({ phase }) => steps.push(phase) });
  t.is(result.kind, 'updated');
  if (result.kind === 'blocked') return;
  t.deepEqual(result.sent, ['door.ino.bin.signed']);
  t.deepEqual(result.confirmation, { kind: 'returned', by: 'udp' });
  t.is(steps[0], 'inviting');
  t.is(steps.at(-1), 'confirming');
  t.deepEqual(acceptedBy(device), ['accepted']);
});

test('upload proves the new sketch, and sends a smaller artifact if the facts permit it', async (t) => {
  const device = await startDoor(t, { mdns: { port: mdnsPort, announcesSketchMd5: true } });
  const layout = { flashMode: 'dio', chipSizeBytes: 4 * 1024 * 1024, fsStart: 0x200000, fsEnd: 0x3fb000 } as const;
  const facts = { ...known, ...layout, sketchSizeBytes: 60 * 1024 };
  const target = { host: device.host, port: device.otaPort, facts };
  const result = await uploadBuild(signed, target, { confirm: 'proven', timings }, mdnsPort);
  t.is(result.kind, 'updated');
  if (result.kind === 'blocked') return;
  t.deepEqual(result.sent, ['door.ino.bin.gz.signed']);
  t.is(result.confirmation?.kind, 'proven');
});

test('upload sends nothing if no artifact is safe, and returns the rules', async (t) => {
  const device = await startDoor(t);
  const result = await upload(device, { build: unsigned });
  t.is(result.kind, 'blocked');
  if (result.kind !== 'blocked') return;
  t.true(
    result.blockedBy.some(({ rule }) => rule === 'unsigned-to-signed'),
    JSON.stringify(result.blockedBy),
  );
  t.deepEqual(verdictsOf(device), []);
});

test('upload without confirmation ends with the verdict', async (t) => {
  const device = await startDoor(t, { faults: { verdict: { text: 'ERROR[12]: Signature verification failed' } } });
  const result = await upload(device, { confirm: 'none' });
  t.is(result.kind, 'failed');
  if (result.kind === 'blocked') return;
  t.is(result.verdict.kind, 'rejected');
  t.is(result.confirmation, undefined);
});

test('upload sends nothing if a file is missing or differs from the manifest', async (t) => {
  const device = await startDoor(t);
  const { manifest, files } = signed;
  const name = 'door.ino.bin.signed';
  const without = new Map([...files].filter(([file]) => file !== name));
  const missing = await expectOtaError(t, 'ARGUMENT_INVALID', () =>
    upload(device, { build: { manifest, files: without } }),
  );
  t.is(missing.message, 'upload: the files of the build do not contain door.ino.bin.signed');
  const changed = new Map([...files, [name, Uint8Array.of(1, 2, 3)]]);
  await expectOtaError(t, 'ARTIFACT_CHANGED', () => upload(device, { build: { manifest, files: changed } }));
  t.deepEqual(verdictsOf(device), []);
});

test('upload sends an intermediate build first, and continues only after it is proven', async (t) => {
  // The raw sketch does not fit beside the running one, and core 2.5.2 does not support gzip.
  const layout = { fsStart: 0x70000, fsEnd: 0x80000 };
  const device = await startDoor(t, {
    ...{ core: '2.5.2', layout, mdns: { port: mdnsPort, announcesSketchMd5: true } },
    image: syntheticSketch({ sizeBytes: 400 * 1024, publicKey }),
  });
  const small = syntheticSketch({ sizeBytes: 40 * 1024, publicKey, seed: 7 });
  const request = { path: 'small.bin', image: small, publicKey, legacy: true, enforcementDeclared: true };
  const { build } = await packImage(request);
  const signedSmall = await signBuild(build, keyFileSigner(privateKey), 'private.key');
  // Without an ELF, the manifest does not contain the filesystem layout.
  const { image } = signedSmall.manifest;
  const intermediate = { ...signedSmall, manifest: { ...signedSmall.manifest, image: { ...image, layout } } };
  const facts = { ...known, ...layout, core: '2.5.2', flashMode: 'dio', sketchSizeBytes: 400 * 1024 } as const;
  const target = { host: device.host, port: device.otaPort, facts };
  const options = { allow: ['fs-moved'], timings };
  t.is((await uploadBuild(signed, target, options, mdnsPort)).kind, 'blocked');
  const result = await uploadBuild(signed, target, { ...options, intermediateBuilds: [intermediate] }, mdnsPort);
  t.is(result.kind, 'updated', JSON.stringify(result));
  if (result.kind !== 'blocked') t.is(result.sent[0], 'small.bin.legacy_sig');
  t.deepEqual(acceptedBy(device), ['accepted', 'accepted']);
});

test('upload rejects with the abort reason', async (t) => {
  const device = await startDoor(t);
  const reason = new Error('enough');
  t.is(await t.throwsAsync(upload(device, { signal: AbortSignal.abort(reason) })), reason);
});
