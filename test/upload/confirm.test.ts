import { createSocket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import type { VirtualEsp } from '../../src/simulator/index.ts';
import type { VirtualEspOptions } from '../../src/simulator/options.ts';
import { type ConfirmQuestion, confirmUpdate, type UpdatedImage } from '../../src/upload/confirm.ts';
import { Lookout } from '../../src/upload/discovery.ts';
import { chooseTargets } from '../../src/upload/inventory.ts';
import { probe } from '../../src/upload/probe.ts';
import { quickEsp, send, verdictsOf } from './quick.ts';

/** Of this process alone, so that no other test is heard. */
const port = 20_000 + (process.pid % 30_000);
const never = new AbortController().signal;
/** The announcement of a virtual device takes a second. A device is asked itself only where a test says so. */
const quick = { settleMs: 10, probeMs: 60_000, graceMs: 600, limitMs: 4000 };

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
    timings: { ...quick, ...question.timings },
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
  const startedAt = performance.now();
  for (const level of ['returned', 'proven'] as const) {
    t.deepEqual(await confirm(t, device, { level, image: imageOf('0'.repeat(32)) }), {
      kind: 'otherSketch',
      sketchMd5,
    });
  }
  t.true(performance.now() - startedAt >= 2 * quick.graceMs);
});

test('what the old sketch says before the restart does not count once the new one speaks', async (t) => {
  const device = await announcing(t, { timings: { closePauseMs: 100, restartMs: 300 } });
  const before = device.state.sketchMd5;
  const listener = await lookout(t);
  const heard: string[] = [];
  listener.watch(({ sketchMd5 = '' }) => heard.push(sketchMd5));
  const update = send(device);
  const booted = device.nextEvent(({ event }) => event === 'boot', 5000);
  t.is((await update).verdict.kind, 'accepted');
  const boot = await booted;
  const after = boot.event === 'boot' ? boot.sketchMd5 : '';
  t.not(after, before);
  const found = await confirm(t, device, { image: imageOf(after), lookout: listener, timings: { graceMs: 4000 } });
  t.deepEqual(found, { kind: 'proven', sketchMd5: after });
  t.true(heard.includes(before));
});

test('a device that announces no MD5 has returned, and no more can be known', async (t) => {
  const device = await announcing(t, { mdns: { port } });
  t.deepEqual(await confirm(t, device, {}), { kind: 'returned', by: 'mdns' });
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
  t.deepEqual(await confirm(t, mute, { timings: { probeMs: 50 } }), { kind: 'returned', by: 'udp' });
  const telling = await announcing(t);
  t.is((await confirm(t, telling, { timings: { probeMs: 50, graceMs: 4000 } })).kind, 'proven');
});

test('without mDNS the device is asked itself, and that it answers is all there is to know', async (t) => {
  const device = await esp(t);
  t.deepEqual(await confirm(t, device, { lookout: undefined, timings: { probeMs: 50 } }), {
    kind: 'returned',
    by: 'udp',
  });
});

test('a device that stays away is waited for no longer than agreed', async (t) => {
  const device = await esp(t);
  await device.close();
  const startedAt = performance.now();
  const timings = { limitMs: 900, probeMs: 100 };
  t.deepEqual(await confirm(t, device, { image: imageOf('0'.repeat(32)), timings }), { kind: 'silent' });
  t.true(performance.now() - startedAt < 3000);
});

test('an abort ends the waiting', async (t) => {
  const device = await esp(t);
  await device.close();
  const abort = new AbortController();
  const waiting = confirm(t, device, { signal: abort.signal, timings: { limitMs: 60_000 } });
  abort.abort(new Error('enough'));
  await t.throwsAsync(waiting, { message: 'enough' });
});

test('the question over espota leaves a device idle, with a password or without', async (t) => {
  for (const password of [undefined, 'secret']) {
    const device = await esp(t, { password });
    const place = { method: 'espota', port: device.otaPort } as const;
    t.true(await probe(place, device.host, 1000, never));
    // The first invitation that a device gets is answered only when it is idle.
    const timings = { invitationIntervalMs: 60_000, invitationMs: 500 };
    t.is((await send(device, { password, timings })).verdict.kind, 'accepted');
    t.deepEqual(
      verdictsOf(device).filter((verdict) => verdict === 'accepted'),
      ['accepted'],
    );
  }
});

test('where nobody listens, nobody answers', async (t) => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port: closed } = socket.address();
  socket.close();
  t.false(await probe({ method: 'espota', port: closed }, '127.0.0.1', 300, never));
  t.false(await probe({ method: 'web', port: closed }, '127.0.0.1', 300, never));
});

test('any answer to a look at the web page is one', async (t) => {
  const device = await esp(t, { webPort: 0, webLogin: { username: 'admin', password: 'secret' } });
  t.true(await probe({ method: 'web', port: device.webPort ?? 0 }, device.host, 1000, never));
  t.true(await probe({ method: 'web', port: device.webPort ?? 0, path: '/elsewhere' }, device.host, 1000, never));
});
