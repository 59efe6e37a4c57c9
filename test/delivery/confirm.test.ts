import test, { type ExecutionContext } from 'ava';
import { type ConfirmQuestion, confirmUpdate, type UpdatedImage } from '../../src/delivery/confirm.ts';
import { Lookout } from '../../src/delivery/discovery.ts';
import { chooseTargets } from '../../src/delivery/inventory.ts';
import { probe } from '../../src/delivery/probe.ts';
import type { VirtualEsp } from '../../src/simulator/index.ts';
import type { VirtualEspOptions } from '../../src/simulator/options.ts';
import { md5 } from '../simulator/bare-host.ts';
import { freePort } from '../support/free-port.ts';
import { mdnsPortOfThisProcess } from '../support/mdns-port.ts';
import { endlessMs } from '../support/patience.ts';
import { socketsRead } from '../support/sockets-read.ts';
import { newSketch, quickEsp, send, verdictsOf } from './quick.ts';

const port = await mdnsPortOfThisProcess();
const never = new AbortController().signal;
/** No wait ends by itself, and a device is asked itself only where a test says so. */
const patient = { settleMs: 10, probeMs: endlessMs, graceMs: endlessMs, limitMs: endlessMs };

let count = 0;

function esp(t: ExecutionContext, options: VirtualEspOptions = {}): Promise<VirtualEsp> {
  return quickEsp(t, { hostname: `confirm-${++count}`, ...options });
}

function announcing(t: ExecutionContext, options: VirtualEspOptions = {}): Promise<VirtualEsp> {
  return esp(t, { mdns: { port, tellsSketchMd5: true }, ...options });
}

async function lookout(t: ExecutionContext): Promise<Lookout> {
  const opened = await Lookout.open({ interfaces: ['127.0.0.1'], port });
  if (!(opened instanceof Lookout)) throw new Error(opened.unavailable);
  t.teardown(() => opened.close());
  return opened;
}

/** A build that shows itself by these. */
function imageOf(...md5s: readonly string[]): UpdatedImage {
  const header = { flashMode: 'dio', flashSizeBytes: 4 * 1024 * 1024, flashFrequencyMHz: 40 } as const;
  return { kind: 'sketch', sketchMd5s: md5s.map((md5) => ({ ...header, md5 })) };
}

async function confirm(t: ExecutionContext, device: VirtualEsp, question: Partial<ConfirmQuestion>) {
  const [target] = chooseTargets({}, { hosts: [`${device.host}:${device.otaPort}`] }, {});
  if (target === undefined) throw new Error('no target');
  const listener = 'lookout' in question ? question.lookout : await lookout(t);
  return confirmUpdate({
    target,
    address: device.host,
    level: 'proven',
    image: imageOf(device.state.sketchMd5),
    signal: never,
    ...question,
    lookout: listener,
    timings: { ...patient, ...question.timings },
  });
}

test('the MD5 of the new sketch proves it', async (t) => {
  const device = await announcing(t);
  t.deepEqual(await confirm(t, device, {}), { kind: 'proven', sketchMd5: device.state.sketchMd5 });
  t.is((await confirm(t, device, { level: 'returned' })).kind, 'proven', 'also where less would do');
});

test('another MD5 shows that the update is lost, after some time for the right one', async (t) => {
  const device = await announcing(t);
  const { sketchMd5 } = device.state;
  const graceMs = 200;
  const startedAt = performance.now();
  for (const level of ['returned', 'proven'] as const) {
    const found = await confirm(t, device, { level, image: imageOf('0'.repeat(32)), timings: { graceMs } });
    t.deepEqual(found, { kind: 'otherSketch', sketchMd5 });
  }
  // Timers may fire a millisecond early, and the pause before adds more than that: a slow machine adds to it only.
  t.true(performance.now() - startedAt >= 2 * graceMs);
});

test('what the old sketch says before the restart does not count once the new one speaks', async (t) => {
  const device = await announcing(t);
  const [before, after] = [device.state.sketchMd5, md5(newSketch)];
  const listener = await lookout(t);
  const confirming = confirm(t, device, { image: imageOf(after), lookout: listener, timings: { settleMs: 0 } });
  await socketsRead();
  // The confirmation listens by now, and hears whatever a later listener hears.
  await new Promise<void>((resolve) => listener.watch(({ sketchMd5 }) => sketchMd5 === before && resolve()));
  t.is((await send(device)).verdict.kind, 'accepted');
  t.deepEqual(await confirming, { kind: 'proven', sketchMd5: after });
});

test('a device that announces no MD5 has returned, and no more can be known', async (t) => {
  const device = await announcing(t, { mdns: { port } });
  t.deepEqual(await confirm(t, device, { timings: { graceMs: 100 } }), { kind: 'returned', by: 'mdns' });
});

test('a filesystem changes no sketch: whatever is shown, the device has returned', async (t) => {
  const device = await announcing(t);
  t.deepEqual(await confirm(t, device, { image: { kind: 'filesystem', sketchMd5s: [] } }), {
    kind: 'returned',
    by: 'mdns',
  });
});

test('a device that answers when it is asked gets some time to show its sketch', async (t) => {
  const mute = await esp(t);
  t.deepEqual(await confirm(t, mute, { timings: { probeMs: 200, graceMs: 100 } }), { kind: 'returned', by: 'udp' });
  const telling = await announcing(t);
  t.is((await confirm(t, telling, { timings: { probeMs: 50 } })).kind, 'proven');
});

test('without mDNS the device is asked itself, and that it answers is all there is to know', async (t) => {
  const device = await esp(t);
  t.deepEqual(await confirm(t, device, { lookout: undefined, timings: { probeMs: 500 } }), {
    kind: 'returned',
    by: 'udp',
  });
});

test('a device that stays away is waited for no longer than agreed', async (t) => {
  const device = await esp(t);
  await device.close();
  const timings = { limitMs: 300, probeMs: 50 };
  t.deepEqual(await confirm(t, device, { image: imageOf('0'.repeat(32)), timings }), { kind: 'silent' });
});

test('an abort ends the waiting', async (t) => {
  const device = await esp(t);
  await device.close();
  const abort = new AbortController();
  const waiting = confirm(t, device, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await t.throwsAsync(waiting, { message: 'enough' });
});

test('the question over espota leaves a device idle, with a password or without', async (t) => {
  for (const password of [undefined, 'secret']) {
    const device = await esp(t, { password });
    const place = { method: 'espota', port: device.otaPort } as const;
    t.true(await probe(place, device.host, endlessMs, never));
    // The first invitation that a device gets is answered only when it is idle.
    t.is((await send(device, { password })).verdict.kind, 'accepted');
    t.deepEqual(
      verdictsOf(device).filter((verdict) => verdict === 'accepted'),
      ['accepted'],
    );
  }
});

test('where nobody listens, nobody answers', async (t) => {
  const closed = await freePort();
  t.false(await probe({ method: 'espota', port: closed }, '127.0.0.1', endlessMs, never));
  t.false(await probe({ method: 'web', port: closed }, '127.0.0.1', endlessMs, never));
});

test('any answer to a look at the web page is one', async (t) => {
  const device = await esp(t, { webPort: 0, webLogin: { username: 'admin', password: 'secret' } });
  t.true(await probe({ method: 'web', port: device.webPort ?? 0 }, device.host, endlessMs, never));
  t.true(await probe({ method: 'web', port: device.webPort ?? 0, path: '/elsewhere' }, device.host, endlessMs, never));
});
