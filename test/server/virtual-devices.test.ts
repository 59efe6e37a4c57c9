import test, { type ExecutionContext } from 'ava';
import type { DeviceInfo } from '../../src/api/admin-info.ts';
import { describeDevice } from '../../src/cli/commands/server/devices/view.ts';
import { guardRecord, productHash } from '../../src/core/keys/guard-record.ts';
import type { Build } from '../../src/core/pack/build.ts';
import { failOverdueDevices } from '../../src/server/services/maintenance.ts';
import { startVirtualDevice, syntheticSketch, type VirtualDevice } from '../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { patientTimings } from '../simulator/patient-timings.ts';
import { endlessMs, patienceMs } from '../support/patience.ts';
import { type BuildRecipe, testBuild, testFilesystem, testSigner } from './builds.ts';
import { receiptsNoted, startTestServer, type TestServer } from './running-server.ts';

const signer = testSigner();
const young = await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 40_000, legacy: true });

function imageOf(build: Build): Uint8Array {
  const image = build.files.get(build.manifest.image.file);
  if (image === undefined) throw new Error('a build without its image');
  return image;
}

/** Starts a virtual device that checks this server for updates. */
async function deviceWith(
  t: ExecutionContext,
  server: TestServer,
  options: VirtualDeviceOptions,
): Promise<VirtualDevice> {
  const virtualDevice = await startVirtualDevice({
    timings: patientTimings,
    updateUrl: `${server.url}/update/door`,
    updateIntervalMs: 30,
    manifests: [young.manifest],
    ...options,
  });
  t.teardown(() => virtualDevice.close());
  return virtualDevice;
}

async function known(server: TestServer, { mac }: VirtualDevice): Promise<DeviceInfo> {
  const { body } = await server.api('GET', `/projects/door/devices/${mac}`);
  // The type assertion is safe, because the endpoint returns this type.
  return body as unknown as DeviceInfo;
}

/** Waits for the next update check that finds no update for the device. */
async function settled(virtualDevice: VirtualDevice): Promise<void> {
  await virtualDevice.nextEvent(({ event }) => event === 'checked', patienceMs);
}

/** Waits until the device has finished `count` updates since the device started. */
async function updated(virtualDevice: VirtualDevice, count: number): Promise<void> {
  const updates = () => virtualDevice.events.past.filter(({ event }) => event === 'update').length;
  while (updates() < count) await virtualDevice.nextEvent(({ event }) => event === 'update', patienceMs);
}

const cores: readonly (readonly [core: string, gitHash: string])[] = [
  ['2.0.0', 'c10a19e0'],
  ['2.3.0', '09826c6d'],
  ['2.5.2', '8b899c12'],
  ['2.6.3', '3d128e5c'],
  ['2.7.4', '2843a5ac'],
  ['3.0.2', '00000000'],
  ['3.1.2', '210897ef'],
];

for (const [core, coreGitHash] of cores) {
  for (const isSigned of [true, false]) {
    for (const isKnown of [true, false]) {
      const what = `${isSigned ? 'verifies signatures' : 'does not verify signatures'}, ${isKnown ? 'known' : 'unknown'} build`;
      test.serial(`updates or blocks a device with core ${core} without bricking it (${what})`, async (t) => {
        const server = await startTestServer(t);
        await server.publish(young);
        const recipe: BuildRecipe = { seed: 1, coreGitHash, sizeBytes: 40_000, version: '1.0' };
        const old = await testBuild(isSigned ? { ...recipe, signer } : recipe);
        if (isKnown) t.is((await server.publish({ ...old }, { purpose: 'reference' })).status, 201);
        const virtualDevice = await deviceWith(t, server, {
          image: imageOf(old),
          core,
          publicKey: isSigned ? signer.publicKey : 'none',
        });
        await virtualDevice.nextEvent(({ event }) => event === 'bricked' || event === 'checked', patienceMs);
        t.is(virtualDevice.state.bricked, undefined);
        await settled(virtualDevice);
        const { phase, bricked } = virtualDevice.state;
        t.is(bricked, undefined);
        t.is(phase, 'running');
        const device = await known(server, virtualDevice);
        const isThere = young.manifest.image.sketchMd5s.some(({ md5 }) => md5 === virtualDevice.state.sketchMd5);
        t.is(device.running?.version === '2.0', isThere, JSON.stringify(device));
        if (isThere) t.is(device.attempts[0]?.state, 'running');
        else t.is(device.sketch?.action, 'none', JSON.stringify(device));
      });
    }
  }
}

test('stops sending a rejected release after three downloads, and sends the release again after a retry', async (t) => {
  const server = await startTestServer(t);
  await server.publish(young);
  const stranger = testSigner();
  const virtualDevice = await deviceWith(t, server, {
    image: { sizeBytes: 40_000, seed: 5 },
    publicKey: stranger.publicKey,
  });
  for (;;) {
    await settled(virtualDevice);
    if ((await known(server, virtualDevice)).sketch?.code === 'failed') break;
  }
  const rejections = virtualDevice.events.past.filter(({ event }) => event === 'update').length;
  t.is(rejections, 3);
  t.like((await known(server, virtualDevice)).attempts[0], { state: 'failed', failure: 'not-installed', sends: 3 });
  const again = virtualDevice.nextEvent(({ event }) => event === 'update', patienceMs);
  await server.api('POST', `/projects/door/devices/${virtualDevice.mac}/retry`);
  await again;
  t.pass();
});

test('shows why the guard of a device rejected an update, after a single download', async (t) => {
  const server = await startTestServer(t);
  await server.publish(young);
  const guard = guardRecord({
    keys: [signer.publicKey],
    product: productHash('door'),
    securityVersion: 0,
    require: 'metadata',
  });
  const virtualDevice = await deviceWith(t, server, {
    image: Buffer.concat([syntheticSketch({ sizeBytes: 40_000, seed: 9 }), guard]),
    publicKey: signer.publicKey,
  });
  await settled(virtualDevice);
  const device = await known(server, virtualDevice);
  t.like(device.attempts[0], { state: 'failed', failure: 'not-installed', rejection: 2, sends: 1 });
  const shown = describeDevice(device).linesIn(undefined).join('\n');
  t.regex(shown, /rejected by the guard: the update contains no metadata \(rejection 2\)/);
});

test('fails an attempt as not confirmed when the device does not check in after the download', async (t) => {
  const server = await startTestServer(t);
  await server.publish(young);
  const whole = await deviceWith(t, server, {
    image: { seed: 6, sizeBytes: 40_000 },
    publicKey: signer.publicKey,
    timings: { ...patientTimings, restartMs: endlessMs },
  });
  await updated(whole, 1);
  await receiptsNoted(server, whole.mac, 1);
  await whole.close();
  server.parts.clock.atLeast(1e12);
  await failOverdueDevices(server.parts);
  t.like((await known(server, whole)).attempts[0], { state: 'failed', failure: 'not-confirmed' });
  t.true(server.logged.some(({ level, message }) => level === 'warn' && /did not confirm/.test(message)));
});

test('updates a fleet of ten devices that check in at the same time', async (t) => {
  const server = await startTestServer(t);
  const old = await testBuild({ version: '1.0', project: 'door', signer, seed: 1, sizeBytes: 40_000 });
  await server.publish(old);
  await server.publish(young);
  const fleet = await Promise.all(
    Array.from({ length: 10 }, (_, seed) =>
      deviceWith(t, server, { image: imageOf(old), publicKey: signer.publicKey, seed }),
    ),
  );
  await Promise.all(fleet.map(settled));
  for (const virtualDevice of fleet) {
    const { attempts, running } = await known(server, virtualDevice);
    t.is(running?.version, '2.0');
    t.like(attempts[0], { state: 'running', sends: 1 });
  }
});

test('sends each filesystem release to a device only once', async (t) => {
  const server = await startTestServer(t);
  const old = await testBuild({ version: '1.0', project: 'door', signer, seed: 1, sizeBytes: 40_000 });
  await server.publish(old);
  // The image is as large as the filesystem in the flash layout of the sketch: 0x200000 to 0x3FA000.
  const files = (version: string) =>
    testFilesystem({ version, project: 'door', signer, content: Buffer.from(version), blockCount: 506 });
  await server.publish(await files('2.0'));
  const options = { image: imageOf(old), publicKey: signer.publicKey, updateMode: 'filesystem' } as const;
  const virtualDevice = await deviceWith(t, server, options);
  for (const version of ['2.0', '3.0']) {
    if (version === '3.0') await server.publish(await files(version));
    await updated(virtualDevice, version === '2.0' ? 1 : 2);
    for (let count = 0; count < 3; count++) await settled(virtualDevice);
    const { filesystem, attempts } = await known(server, virtualDevice);
    t.like(filesystem, { code: 'files-installed', version });
    t.like(attempts[0], { version, kind: 'filesystem', state: 'running', sends: 1 });
  }
  const updates = virtualDevice.events.past.flatMap((each) => (each.event === 'update' ? [each.verdict] : []));
  t.deepEqual(updates, ['accepted', 'accepted']);
  t.is(virtualDevice.state.damage, undefined);
});
