import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { DeliveryVerdict } from '../../../src/delivery/verdict.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { freePort } from '../../support/free-port.ts';
import { patienceMs } from '../../support/patience.ts';
import { newSketch, quickDevice, repeating, send, verdictsOf } from '../quick.ts';

const password = 'hunter2-of-the-door';

test('reports an accepted upload, and the device runs the image', async (t) => {
  const device = await quickDevice(t);
  const booted = device.nextEvent(({ event }) => event === 'boot', patienceMs);
  const { verdict } = await send(device);
  t.deepEqual(verdict, { kind: 'accepted' });
  await booted;
  t.deepEqual(Buffer.from(device.readFlash(0, newSketch.length)).compare(newSketch), 0);
});

test('authenticates to a device that requires a password', async (t) => {
  const device = await quickDevice(t, { password });
  const { verdict } = await send(device, { password });
  t.is(verdict.kind, 'accepted');
});

test('uploads to a device without a password even if a password is configured', async (t) => {
  const device = await quickDevice(t);
  t.is((await send(device, { password })).verdict.kind, 'accepted');
});

test('writes a filesystem image to the filesystem area', async (t) => {
  const device = await quickDevice(t, { layout: { fsStart: 0x200000, fsEnd: 0x3fa000 } });
  const filesystem = new Uint8Array(8192).fill(0x5c);
  const booted = device.nextEvent(({ event }) => event === 'boot', patienceMs);
  t.is((await send(device, { image: filesystem, kind: 'filesystem' })).verdict.kind, 'accepted');
  await booted;
  t.is(Buffer.from(device.readFlash(0x200000, filesystem.length)).compare(filesystem), 0);
});

test('reports progress that counts acknowledged bytes, never decreases and ends at the image size', async (t) => {
  const device = await quickDevice(t, { link: { rttMs: 2, windowBytes: 5840 } });
  const { progress, verdict } = await send(device);
  t.is(verdict.kind, 'accepted');
  const phases = progress.map(({ phase }) => phase);
  t.deepEqual([...new Set(phases)], ['inviting', 'awaitingCallBack', 'sending', 'awaitingVerdict']);
  const taken = progress.map(({ transferredBytes }) => transferredBytes);
  t.deepEqual(
    taken,
    [...taken].sort((a, b) => a - b),
  );
  t.is(taken.at(-1), newSketch.length);
});

test('reports no further progress after the device stops acknowledging, even if more data was sent', async (t) => {
  const device = await quickDevice(t, { faults: { transfer: { what: 'half-open', at: 0.5 } } });
  const { progress, verdict } = await send(device, { timings: { stallMs: 500, attempts: 1 } });
  t.is(verdict.kind, 'unknown');
  const taken = progress.map(({ transferredBytes }) => transferredBytes);
  t.true(Math.max(...taken) > 0 && Math.max(...taken) < newSketch.length / 2, `${taken}`);
});

async function rejection(t: ExecutionContext, sending: Promise<{ verdict: DeliveryVerdict }>) {
  const { verdict } = await sending;
  if (verdict.kind !== 'rejected') throw new Error(`${t.title}: ${JSON.stringify(verdict)}`);
  return verdict;
}

test('reports a wrong password and does not retry', async (t) => {
  const device = await quickDevice(t, { password: 'another' });
  const { by, reason } = await rejection(t, send(device, { password }));
  t.is(by, 'password');
  t.regex(reason, /Authentication Failed/);
  t.deepEqual(verdictsOf(device), ['rejected']);
});

test('reports a missing password immediately', async (t) => {
  const device = await quickDevice(t, { password });
  for (const given of [undefined, '']) {
    const sending = send(device, { timings: repeating, ...(given === undefined ? {} : { password: given }) });
    const { by, reason } = await rejection(t, sending);
    t.is(by, 'password');
    t.regex(reason, /requires a password/);
  }
});

test('reports an Update.begin error with the message and code from the device', async (t) => {
  const device = await quickDevice(t, { chipSizeBytes: 1024 * 1024, layout: { fsStart: 0x20000, fsEnd: 0x20000 } });
  const { by, reason, code } = await rejection(t, send(device));
  t.deepEqual({ by, reason, code }, { by: 'updater', reason: 'ERROR[4]: Not Enough Space', code: 4 });
});

test('reads an error message that directly follows the last acknowledgment', async (t) => {
  const device = await quickDevice(t);
  const { code, reason } = await rejection(t, send(device, { image: new Uint8Array(20_000).fill(0x02) }));
  t.is(code, 10);
  t.regex(reason, /^ERROR\[10\]: Magic byte is not 0xE9$/);
  t.deepEqual(verdictsOf(device), ['rejected']);
});

test('recognizes an ESP32 by its 64-digit challenge', async (t) => {
  const device = await quickDevice(t, { faults: { invitationResponse: `AUTH ${'0123456789abcdef'.repeat(4)}` } });
  const { verdict } = await send(device, { password });
  t.like(verdict, { kind: 'wrongProtocol', which: 'esp32' });
});

test('recognizes an ESPHome device, which does not respond over UDP, by its TCP port', async (t) => {
  const espHome = createServer((socket) => {
    socket.on('error', () => undefined).on('data', () => socket.write(Uint8Array.of(0x00, 0x02)));
  });
  await new Promise<void>((resolve) => espHome.listen(0, '127.0.0.1', resolve));
  t.teardown(() => espHome.close());
  const address = espHome.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { verdict } = await send({ host: '127.0.0.1', otaPort: address.port }, { timings: repeating });
  t.deepEqual(verdict, { kind: 'wrongProtocol', which: 'esphome' });
});

test('recognizes ESPHome by the first bytes on the callback connection', async (t) => {
  const device = await quickDevice(t, { faults: { greeting: Uint8Array.of(0x6c, 0x26, 0xf7, 0x5c, 0x45) } });
  t.like((await send(device)).verdict, { kind: 'wrongProtocol', which: 'esphome' });
});

test('reports an unrecognized response without its control characters', async (t) => {
  const device = await quickDevice(t, { faults: { invitationResponse: '\u001b[31mHELO' } });
  t.deepEqual((await send(device)).verdict, { kind: 'wrongProtocol', which: 'unrecognized', received: '[31mHELO' });
});

test('reports a silent device as unreachable', async (t) => {
  const device = await quickDevice(t, { faults: { noResponse: true } });
  const { verdict } = await send(device, { timings: { ...repeating, invitationMs: 200 } });
  t.is(verdict.kind, 'unreachable');
});

test('reports a closed port as unreachable with the reason', async (t) => {
  const { verdict } = await send(
    { host: '127.0.0.1', otaPort: await freePort() },
    { timings: { ...repeating, invitationMs: 200 } },
  );
  t.true(verdict.kind === 'unreachable' && /the port is closed/.test(verdict.reason), JSON.stringify(verdict));
});

test('reports an unresolvable host name as unreachable', async (t) => {
  const { verdict } = await send({ host: 'no-such-device.invalid', otaPort: 8266 });
  t.true(verdict.kind === 'unreachable' && verdict.reason.includes('no-such-device.invalid'));
});

test('reports a blocked callback with the listening address and port', async (t) => {
  const device = await quickDevice(t, { faults: { callBack: 'never' }, timings: { connectTimeoutMs: 20 } });
  const { verdict } = await send(device, { timings: { ...repeating, callBackMs: 100 } });
  if (verdict.kind !== 'blockedCallback') return t.fail(JSON.stringify(verdict));
  t.is(verdict.hostAddress, '127.0.0.1');
  t.true(verdict.port > 0);
});

test("rejects a callback from an address other than the invited device's", async (t) => {
  const device = await quickDevice(t, { faults: { callBack: { from: '127.0.0.2' } } });
  const { verdict } = await send(device, { timings: { ...repeating, callBackMs: 300 } });
  t.like(verdict, { kind: 'blockedCallback', rejectedAddresses: ['127.0.0.2'] });
  t.false(verdictsOf(device).includes('accepted'));
});

test('listens for the callback on the configured host port and fails if the port is in use', async (t) => {
  const port = await freePort();
  const spare = createServer();
  await new Promise<void>((resolve) => spare.listen(port, '127.0.0.1', resolve));
  const device = await quickDevice(t, { faults: { callBack: 'never' }, timings: { connectTimeoutMs: 20 } });
  const error = await expectOtaError(t, 'UPLOAD_LISTEN_FAILED', () => send(device, { hostPort: port }));
  t.regex(error.message, new RegExp(`TCP port ${port} of 127.0.0.1`));
  await new Promise<void>((resolve) => spare.close(() => resolve()));
  const { verdict } = await send(device, { hostPort: port, timings: { ...repeating, callBackMs: 100 } });
  t.like(verdict, { kind: 'blockedCallback', port });
});

test('listens on the configured host address and fails if it belongs to a different machine', async (t) => {
  const device = await quickDevice(t);
  t.is((await send(device, { hostIp: '127.0.0.3' })).verdict.kind, 'accepted');
  const error = await expectOtaError(t, 'UPLOAD_LISTEN_FAILED', () => send(device, { hostIp: '192.0.2.1' }));
  t.regex(error.message, /192\.0\.2\.1/);
});
