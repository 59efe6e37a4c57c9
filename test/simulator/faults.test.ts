import { connect } from 'node:net';
import test from 'ava';
import { type Faults, randomFaults, startVirtualDevice, syntheticSketch } from '../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { patienceMs } from '../support/patience.ts';
import { exchange, formRequest } from './bare-form.ts';
import { afterwards, bareHost, bareUpload, md5 } from './bare-host.ts';
import { patientTimings } from './patient-timings.ts';

const image = { sizeBytes: 40_000, seed: 1 };
const next = syntheticSketch({ sizeBytes: 50_000, seed: 2 });
const start = (faults: Faults, options: VirtualDeviceOptions = {}) =>
  startVirtualDevice({ image, timings: patientTimings, faults, ...options });

test('resets the connection after the configured share of the bytes and keeps the old sketch', async (t) => {
  for (const at of [0, 0.01, 0.5, 0.99]) {
    await using device = await start({ transfer: { what: 'reset', at } });
    const told = device.nextEvent(({ event }) => event === 'update', patienceMs);
    const { text, how } = await bareUpload(t, device, next);
    // The host may detect the reset only after it has read all acknowledgments.
    if (at === 0) t.is(how, 'by reset');
    t.regex(text, /^\d*$/);
    const count = Math.ceil(at * next.length);
    t.like(await told, { error: `the connection was lost after ${count} of ${next.length} bytes` });
    t.is(device.state.restarts, 0);
  }
});

test('updates without sending OK when the reset follows the last byte or its acknowledgment', async (t) => {
  for (const at of [1, 'after-last-ack'] as const) {
    await using device = await start({ transfer: { what: 'reset', at } });
    const booted = afterwards(device);
    const { text } = await bareUpload(t, device, next);
    t.false(text.includes('OK'));
    t.like(await booted, { event: 'boot', sketchMd5: md5(next) });
  }
});

test('closes the connection without a reset on an "end" fault', async (t) => {
  await using device = await start({ transfer: { what: 'end', at: 0.5 } });
  t.is((await bareUpload(t, device, next)).how, 'in order');
});

test('resumes the transfer after a stall', async (t) => {
  await using device = await start({ transfer: { what: 'stall', at: 0.5, stallMs: 80 } });
  const begun = performance.now();
  t.regex((await bareUpload(t, device, next)).text, /OK$/);
  // The device uses the same clock and never pauses for less; a slow machine only adds time.
  t.true(performance.now() - begun >= 80);
});

test('restarts and leaves the connection silent on a "half-open" fault', async (t) => {
  await using device = await start({ transfer: { what: 'half-open', at: 0.5 }, uploads: 1 });
  const booted = afterwards(device);
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  call.socket.write(next);
  t.like(await booted, { event: 'boot', sketchMd5: device.state.sketchMd5 });
  t.false(call.socket.destroyed);
  t.regex((await bareUpload(t, device, next)).text, /OK$/);
  t.false(call.text().includes('OK'));
  t.false(call.socket.destroyed);
});

test('updates even if its verdict is omitted or replaced', async (t) => {
  for (const [verdict, end] of [
    ['none', /^\d+$/],
    [{ text: 'ERROR[1]: ' }, /^\d+ERROR\[1\]: $/],
  ] as const) {
    await using device = await start({ verdict });
    const booted = afterwards(device);
    t.regex((await bareUpload(t, device, next)).text, end);
    t.like(await booted, { event: 'boot', sketchMd5: md5(next) });
  }
});

test('omits the callback or connects from a different address', async (t) => {
  const timings = { ...patientTimings, connectTimeoutMs: 20 };
  await using never = await start({ callBack: 'never' }, { timings });
  const told = never.nextEvent(({ event }) => event === 'update', patienceMs);
  const host = await bareHost(t, never);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  t.is(await host.heard(), 'OK');
  t.like(await told, { verdict: 'rejected' });

  await using elsewhere = await start({ callBack: { from: '127.0.0.2' } });
  const other = await bareHost(t, elsewhere);
  other.send(`0 ${other.port} ${next.length} ${md5(next)}\n`);
  t.is((await other.called()).socket.remoteAddress, '127.0.0.2');
});

test('ignores invitations, replaces the response or sends a greeting first', async (t) => {
  await using silent = await start({ noResponse: true, uploads: 1 });
  const host = await bareHost(t, silent);
  const invitation = `0 ${host.port} ${next.length} ${md5(next)}\n`;
  host.send(invitation);
  t.true(await host.isSilent());
  host.send(invitation);
  t.is(await host.heard(), 'OK');

  await using strange = await start({ invitationResponse: `AUTH ${'a'.repeat(64)}` });
  t.is((await bareUpload(t, strange, next)).datagram, `AUTH ${'a'.repeat(64)}`);

  await using chatty = await start({ greeting: Uint8Array.of(0x6c, 0x26, 0xf7, 0x5c, 0x45) });
  t.true((await bareUpload(t, chatty, next)).text.startsWith('l&\u00f7\\E'));
});

test('drops the first datagrams and duplicates others', async (t) => {
  await using lossy = await start({ udp: { loseFirst: 2, direction: 'to-device' } });
  const host = await bareHost(t, lossy);
  const invitation = `0 ${host.port} ${next.length} ${md5(next)}\n`;
  host.send(invitation);
  host.send(invitation);
  t.true(await host.isSilent());
  host.send(invitation);
  t.is(await host.heard(), 'OK');

  await using doubling = await start({ udp: { duplicateShare: 1, direction: 'from-device' } }, { password: 'secret' });
  const twice = await bareHost(t, doubling);
  twice.send(`0 ${twice.port} ${next.length} ${md5(next)}\n`);
  t.is(await twice.heard(), await twice.heard());
});

test('responds to the ESPHome magic bytes over TCP on the same port when it simulates ESPHome', async (t) => {
  await using device = await startVirtualDevice({ otaProtocol: 'esphome' });
  const socket = connect({ host: device.host, port: device.otaPort });
  t.teardown(() => socket.destroy());
  const heard = new Promise<Buffer>((resolve) => socket.once('data', resolve));
  socket.write(Uint8Array.of(0x6c, 0x26, 0xf7));
  socket.write(Uint8Array.of(0x5c, 0x45));
  t.deepEqual([...(await heard)], [0, 2]);
  t.deepEqual(await exchange(device.otaPort, '0 1 2 3\n'), { text: '\u0080', ended: 'in order' });
});

test('applies transfer faults to the web updater', async (t) => {
  await using device = await start({ transfer: { what: 'reset', at: 0.5 }, uploads: 1 }, { webPort: 0 });
  t.deepEqual(await exchange(device.webPort ?? 0, formRequest(next)), { text: '', ended: 'by reset' });
  const { text } = await exchange(device.webPort ?? 0, formRequest(next));
  t.true(text.endsWith('Update Success! Rebooting...'));
});

test('leaves web updater requests unanswered on a "no-response" fault', async (t) => {
  await using device = await start({ noResponse: true }, { webPort: 0 });
  const url = `http://127.0.0.1:${device.webPort}/update`;
  // Any timeout is long enough: the device never responds.
  const cancelPrompt = await fetch(url, { signal: AbortSignal.timeout(100) }).catch((error: Error) => error.name);
  t.is(cancelPrompt, 'TimeoutError');
  device.setFaults({});
  t.is((await fetch(url)).status, 200);
});

test('accepts new faults while running and stops injecting them after the configured number of uploads', async (t) => {
  await using device = await start({});
  device.setFaults({ verdict: 'none', uploads: 1 });
  const booted = afterwards(device);
  t.regex((await bareUpload(t, device, next)).text, /^\d+$/);
  await booted;
  t.regex((await bareUpload(t, device, next)).text, /OK$/);
});

test('derives the same faults from the same seed and different faults from different seeds', (t) => {
  const all = Array.from({ length: 200 }, (_, seed) => randomFaults(seed));
  t.deepEqual(
    all,
    Array.from({ length: 200 }, (_, seed) => randomFaults(seed)),
  );
  t.is(new Set(all.map((faults) => JSON.stringify(faults))).size, 200);
  t.is(new Set(all.map(({ transfer }) => transfer?.what)).size, 5);
});
