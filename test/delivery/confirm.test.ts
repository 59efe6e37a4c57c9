import test, { type ExecutionContext } from 'ava';
import { type ConfirmRequest, confirmUpdate, type UpdatedImage } from '../../src/delivery/confirm.ts';
import { Discovery } from '../../src/delivery/discovery.ts';
import { chooseTargets } from '../../src/delivery/inventory.ts';
import { probe } from '../../src/delivery/probe.ts';
import type { VirtualDevice } from '../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { md5 } from '../simulator/bare-host.ts';
import { freePort } from '../support/free-port.ts';
import { mdnsPortOfThisProcess } from '../support/mdns-port.ts';
import { endlessMs } from '../support/patience.ts';
import { socketsRead } from '../support/sockets-read.ts';
import { newSketch, quickDevice, repeating, send, verdictsOf } from './quick.ts';

const port = await mdnsPortOfThisProcess();
const never = new AbortController().signal;
/** Timings with which no timeout expires. Tests shorten `probeMs` to probe a device. */
const patient = { settleMs: 10, probeMs: endlessMs, graceMs: endlessMs, limitMs: endlessMs };

let count = 0;

function startDevice(t: ExecutionContext, options: VirtualDeviceOptions = {}): Promise<VirtualDevice> {
  return quickDevice(t, { hostname: `confirm-${++count}`, ...options });
}

function announcing(t: ExecutionContext, options: VirtualDeviceOptions = {}): Promise<VirtualDevice> {
  return startDevice(t, { mdns: { port, announcesSketchMd5: true }, ...options });
}

async function openDiscovery(t: ExecutionContext): Promise<Discovery> {
  const opened = await Discovery.open({ interfaces: ['127.0.0.1'], port });
  if (!(opened instanceof Discovery)) throw new Error(opened.unavailable);
  t.teardown(() => opened.close());
  return opened;
}

/** Returns a sketch image with these MD5s. A device that runs the image announces one of the MD5s. */
function imageOf(...md5s: readonly string[]): UpdatedImage {
  const header = { flashMode: 'dio', flashSizeBytes: 4 * 1024 * 1024, flashFrequencyMHz: 40 } as const;
  return { kind: 'sketch', sketchMd5s: md5s.map((md5) => ({ ...header, md5 })) };
}

async function confirm(t: ExecutionContext, device: VirtualDevice, question: Partial<ConfirmRequest>) {
  const [target] = chooseTargets({}, { hosts: [`${device.host}:${device.otaPort}`] }, {});
  if (target === undefined) throw new Error('no target');
  const listener = 'discovery' in question ? question.discovery : await openDiscovery(t);
  return confirmUpdate({
    target,
    address: device.host,
    level: 'proven',
    image: imageOf(device.state.sketchMd5),
    signal: never,
    ...question,
    discovery: listener,
    timings: { ...patient, ...question.timings },
  });
}

test('reports "proven" when the device announces the MD5 of the new sketch', async (t) => {
  const device = await announcing(t);
  t.deepEqual(await confirm(t, device, {}), { kind: 'proven', sketchMd5: device.state.sketchMd5 });
  t.is((await confirm(t, device, { level: 'returned' })).kind, 'proven', 'also where less would do');
});

test('reports a different sketch if the device still announces a different MD5 after the grace period', async (t) => {
  const device = await announcing(t);
  const { sketchMd5 } = device.state;
  const graceMs = 200;
  const startedAt = performance.now();
  for (const level of ['returned', 'proven'] as const) {
    const found = await confirm(t, device, { level, image: imageOf('0'.repeat(32)), timings: { graceMs } });
    t.deepEqual(found, { kind: 'differentSketch', sketchMd5 });
  }
  // A timer may fire 1 ms early, but the settle delay is longer than that. A slow machine only adds time.
  t.true(performance.now() - startedAt >= 2 * graceMs);
});

test('ignores the MD5 of the old sketch after the new sketch announces its own MD5', async (t) => {
  const device = await announcing(t);
  const [before, after] = [device.state.sketchMd5, md5(newSketch)];
  const listener = await openDiscovery(t);
  const confirming = confirm(t, device, { image: imageOf(after), discovery: listener, timings: { settleMs: 0 } });
  await socketsRead();
  // The confirmation listens first, so it also receives every announcement that reaches this listener.
  await new Promise<void>((resolve) => listener.watch(({ sketchMd5 }) => sketchMd5 === before && resolve()));
  t.is((await send(device)).verdict.kind, 'accepted');
  t.deepEqual(await confirming, { kind: 'proven', sketchMd5: after });
});

test('reports "returned" for a device that announces no MD5', async (t) => {
  const device = await announcing(t, { mdns: { port } });
  t.deepEqual(await confirm(t, device, { timings: { graceMs: 100 } }), { kind: 'returned', by: 'mdns' });
});

test('reports "returned" after a filesystem update, which does not change the sketch MD5', async (t) => {
  const device = await announcing(t);
  t.deepEqual(await confirm(t, device, { image: { kind: 'filesystem', sketchMd5s: [] } }), {
    kind: 'returned',
    by: 'mdns',
  });
});

test('waits a grace period for the MD5 after the device responds to a probe', async (t) => {
  const mute = await startDevice(t);
  t.deepEqual(await confirm(t, mute, { timings: { probeMs: 200, graceMs: 100 } }), { kind: 'returned', by: 'udp' });
  const telling = await announcing(t);
  t.is((await confirm(t, telling, { timings: { probeMs: 50 } })).kind, 'proven');
});

test('reports "returned" after a successful probe when mDNS is unavailable', async (t) => {
  const device = await startDevice(t);
  t.deepEqual(await confirm(t, device, { discovery: undefined, timings: { probeMs: 500 } }), {
    kind: 'returned',
    by: 'udp',
  });
});

test('reports a silent device after the time limit', async (t) => {
  const device = await startDevice(t);
  await device.close();
  const timings = { limitMs: 300, probeMs: 50 };
  t.deepEqual(await confirm(t, device, { image: imageOf('0'.repeat(32)), timings }), { kind: 'noResponse' });
});

test('rejects with the abort reason if aborted while it waits', async (t) => {
  const device = await startDevice(t);
  await device.close();
  const abort = new AbortController();
  const waiting = confirm(t, device, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await t.throwsAsync(waiting, { message: 'enough' });
});

test('leaves the device idle after an espota probe, with or without a password', async (t) => {
  for (const password of [undefined, 'secret']) {
    const device = await startDevice(t, { password });
    const place = { method: 'espota', port: device.otaPort } as const;
    t.true(await probe(place, device.host, endlessMs, never));
    // After an error, ArduinoOTA waits and drops the datagrams that arrive meanwhile, so the upload repeats its invitation. An ended
    // authentication leaves the device idle at once, and a repeated invitation would end the next one.
    const timings = password === undefined ? repeating : {};
    t.is((await send(device, { password, timings })).verdict.kind, 'accepted');
    t.deepEqual(
      verdictsOf(device).filter((verdict) => verdict === 'accepted'),
      ['accepted'],
    );
  }
});

test('a probe of a closed port returns false', async (t) => {
  const closed = await freePort();
  t.false(await probe({ method: 'espota', port: closed }, '127.0.0.1', endlessMs, never));
  t.false(await probe({ method: 'web', port: closed }, '127.0.0.1', endlessMs, never));
});

test('accepts any HTTP response to a web probe', async (t) => {
  const device = await startDevice(t, { webPort: 0, webLogin: { username: 'admin', password: 'secret' } });
  t.true(await probe({ method: 'web', port: device.webPort ?? 0 }, device.host, endlessMs, never));
  t.true(await probe({ method: 'web', port: device.webPort ?? 0, path: '/elsewhere' }, device.host, endlessMs, never));
});
