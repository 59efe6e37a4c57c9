import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { startVirtualDevice, syntheticSketch, type VirtualDevice } from '../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { endlessMs, patienceMs } from '../support/patience.ts';
import { afterwards, bareHost, bareUpload, md5 } from './bare-host.ts';
import { holds } from './holds.ts';
import { patientTimings } from './patient-timings.ts';

const image = { sizeBytes: 40_000, seed: 1 };
const next = syntheticSketch({ sizeBytes: 50_000, seed: 2 });
const start = (options: VirtualDeviceOptions = {}) =>
  startVirtualDevice({ image, timings: patientTimings, ...options });
const cnonce = md5('anything');

test('acknowledges an upload with decimal numbers, sends OK at the end and runs the new sketch', async (t) => {
  await using device = await start();
  const before = device.state.sketchMd5;
  const booted = afterwards(device);
  const { datagram, text, how } = await bareUpload(t, device, next);
  t.is(datagram, 'OK');
  t.regex(text, /^\d+OK$/);
  t.is(how, 'in order');
  t.like(await booted, { event: 'boot', sketchMd5: md5(next) });
  t.not(device.state.sketchMd5, before);
  t.true(holds(device, next));
});

test('acknowledges each piece with its length, without separators', async (t) => {
  await using device = await start();
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  call.socket.write(next.subarray(0, 1460));
  await call.reads(/^1460$/);
  call.socket.write(next.subarray(1460, 2000));
  await call.reads(/^1460540$/);
  call.socket.write(next.subarray(2000));
  t.regex((await call.ended()).text, /^1460540\d+OK$/);
});

test('sends an Updater error right after the last acknowledgment and does not restart', async (t) => {
  await using device = await start();
  const told = device.nextEvent(({ event }) => event === 'update', patienceMs);
  const { text } = await bareUpload(t, device, new Uint8Array(1000).fill(0x02));
  t.regex(text, /^\d+ERROR\[10\]: Magic byte is not 0xE9\n$/);
  t.like(await told, { transport: 'espota', verdict: 'rejected', error: 'ERROR[10]: Magic byte is not 0xE9' });
  t.like(device.state, { phase: 'running', restarts: 0 });
});

test('uses the error messages of an older core', async (t) => {
  await using device = await start({ core: '2.7.4' });
  const { text } = await bareUpload(t, device, new Uint8Array(1000).fill(0x02));
  t.regex(text, /^\d+ERROR\[10\]: Magic byte is wrong, not 0xE9\r\n$/);
});

test('responds with an error to an invitation for an oversized image and accepts the next invitation', async (t) => {
  await using device = await start();
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} 3000000 ${md5('x')}\n`);
  t.is(await host.heard(), 'ERR: ERROR[4]: Not Enough Space\n');

  // ArduinoOTA waits after an error, and drops the datagrams that arrive meanwhile.
  do host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  while (await host.isSilent());
  t.is(await host.heard(), 'OK');
});

test('reports an MD5 mismatch after receiving the whole image', async (t) => {
  await using device = await start();
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5('another')}\n`);
  const call = await host.called();
  call.socket.write(next);
  const expected = `ERROR\\[7\\]: MD5 verification failed: expected: ${md5('another')}, calculated: ${md5(next)}\\n$`;
  t.regex((await call.ended()).text, new RegExp(expected));
});

test('requires a response to its challenge when a password is set', async (t) => {
  await using device = await start({ password: 'secret' });
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const [, nonce] = /^AUTH ([0-9a-f]{32})$/.exec(await host.heard()) ?? [];
  host.send(`200 ${cnonce} ${md5(`${md5('secret')}:${nonce}:${cnonce}`)}\n`);
  t.is(await host.heard(), 'OK');
  const call = await host.called();
  call.socket.write(next);
  t.regex((await call.ended()).text, /OK$/);
});

test('returns to idle after a wrong password and sends a new nonce for the next invitation', async (t) => {
  await using device = await start({ password: 'secret' });
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const first = await host.heard();
  host.send(`200 ${cnonce} ${md5('wrong')}\n`);
  t.is(await host.heard(), 'Authentication Failed');
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const second = await host.heard();
  t.regex(second, /^AUTH /);
  t.not(second, first);
});

test('silently cancels a pending authentication on a repeated invitation', async (t) => {
  await using device = await start({ password: 'secret' });
  const host = await bareHost(t, device);
  const invitation = `0 ${host.port} ${next.length} ${md5(next)}\n`;
  host.send(invitation);
  const [, nonce] = /^AUTH (.*)$/.exec(await host.heard()) ?? [];
  host.send(invitation);
  host.send(`200 ${cnonce} ${md5(`${md5('secret')}:${nonce}:${cnonce}`)}\n`);
  t.true(await host.isSilent());
  host.send(invitation);
  t.regex(await host.heard(), /^AUTH /);
});

test('cancels the authentication when a response is not 32 characters long', async (t) => {
  await using device = await start({ password: 'secret' });
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  await host.heard();
  host.send(`200 ${cnonce}${cnonce} ${'a'.repeat(64)}\n`);
  t.true(await host.isSilent());
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  t.regex(await host.heard(), /^AUTH /);
});

test('ignores invitations during an upload', async (t) => {
  await using device = await start();
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  call.socket.write(next.subarray(0, 100));
  await call.reads(/^100$/);
  const other = await bareHost(t, device);
  other.send(`0 ${other.port} ${next.length} ${md5(next)}\n`);
  t.true(await other.isSilent());
  call.socket.write(next.subarray(100));
  t.regex((await call.ended()).text, /OK$/);
});

test('ignores invitations during the pause after an interrupted upload', async (t) => {
  await using device = await start({ timings: { ...patientTimings, brokenPauseMs: endlessMs } });
  const host = await brokenUpload(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  t.true(await host.isSilent());
});

test('responds to invitations again after the pause that follows an interrupted upload', async (t) => {
  await using device = await start();
  const told = device.nextEvent(({ event }) => event === 'update', patienceMs);
  const host = await brokenUpload(t, device);
  t.like(await told, { verdict: 'rejected', error: `the connection was lost after 100 of ${next.length} bytes` });
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  t.is(await host.heard(), 'OK');
});

/** Sends an invitation during an upload, ends the upload after 100 bytes, and waits until the device has detected the end. */
async function brokenUpload(t: ExecutionContext, device: VirtualDevice) {
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  t.is(await host.heard(), 'OK');
  call.socket.write(next.subarray(0, 100));
  await call.reads(/^100$/);
  // The announced image is too large, so even a late response to this invitation would be an error.
  host.send(`0 ${host.port} 3000000 ${md5('x')}\n`);
  t.true(await host.isSilent());
  call.socket.end();
  t.is((await call.ended()).how, 'by reset');
  return host;
}

test('updates without sending OK when the host closes the connection after the last byte', async (t) => {
  // Long enough that the connection ends before the verdict, even on a slow machine.
  await using device = await start({ timings: { ...patientTimings, verdictPauseMs: 5000 } });
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  const booted = afterwards(device);
  call.socket.end(next);
  t.false((await call.ended()).text.includes('OK'));
  t.like(await booted, { event: 'boot', sketchMd5: md5(next) });
});

test('reads no more bytes than announced', async (t) => {
  await using device = await start();
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  const booted = afterwards(device);
  call.socket.write(next);
  call.socket.write('more');
  const { text } = await call.ended();
  t.regex(text, /OK$/);
  await booted;
  t.true(holds(device, next));
});

test('writes a filesystem image to the filesystem area', async (t) => {
  await using device = await start();
  const content = new Uint8Array(10_000).fill(0x17);
  const { text } = await bareUpload(t, device, content, 100);
  t.regex(text, /OK$/);
  t.true(holds(device, content, 0x200000));
});

test('overwrites the old filesystem even if the filesystem upload is interrupted', async (t) => {
  await using device = await start();
  const host = await bareHost(t, device);
  const content = new Uint8Array(10_000).fill(0x17);
  host.send(`100 ${host.port} ${content.length} ${md5(content)}\n`);
  const call = await host.called();
  const told = device.nextEvent(({ event }) => event === 'update', patienceMs);
  call.socket.write(content.subarray(0, 9000));
  await call.reads(/3160$/);
  call.socket.resetAndDestroy();
  await told;
  t.true(holds(device, content.subarray(0, 8192), 0x200000));
});

test('waits indefinitely for a slow host', async (t) => {
  const momentMs = 1;
  const timings = { webReadTimeoutMs: momentMs, httpHeaderTimeoutMs: momentMs, httpBodyTimeoutMs: momentMs };
  await using device = await start({ timings: { ...patientTimings, ...timings } });
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  call.socket.write(next.subarray(0, 100));
  await call.reads(/^100$/);
  // Any pause longer than the device's timeouts is long enough.
  await pause(20 * momentMs);
  t.is(call.text(), '100');
  t.deepEqual(
    device.events.past.map(({ event }) => event),
    ['ready'],
  );
  call.socket.write(next.subarray(100));
  t.regex((await call.ended()).text, /OK$/);
});

test('ignores invitations during a restart', async (t) => {
  await using device = await start({ timings: { ...patientTimings, restartMs: 3_600_000 } });
  const host = await bareHost(t, device);
  device.powerCycle();
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  t.true(await host.isSilent());
});

test('keeps its port after a restart', async (t) => {
  await using device = await start({ timings: patientTimings });
  const port = device.otaPort;
  const booted = afterwards(device);
  device.powerCycle();
  await booted;
  t.is(device.otaPort, port);
  t.is((await bareUpload(t, device, next)).datagram, 'OK');
});

test('ends a running upload when the device is closed', async (t) => {
  const device = await start();
  const host = await bareHost(t, device);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  call.socket.write(next.subarray(0, 100));
  await call.reads(/^100$/);
  await device.close();
  await call.ended();
  t.is(device.state.phase, 'closed');
  await device.close();
});
