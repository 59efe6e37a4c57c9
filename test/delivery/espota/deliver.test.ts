import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { DeliveryVerdict } from '../../../src/delivery/verdict.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { freePort } from '../../support/free-port.ts';
import { patienceMs } from '../../support/patience.ts';
import { newSketch, quickEsp, repeating, send, verdictsOf } from '../quick.ts';

const password = 'hunter2-of-the-door';

test('an image that the device takes is accepted, and the device restarts into it', async (t) => {
  const esp = await quickEsp(t);
  const booted = esp.nextEvent(({ event }) => event === 'boot', patienceMs);
  const { verdict } = await send(esp);
  t.deepEqual(verdict, { kind: 'accepted' });
  await booted;
  t.deepEqual(Buffer.from(esp.readFlash(0, newSketch.length)).compare(newSketch), 0);
});

test('a device with a password gets its answer, and no password', async (t) => {
  const esp = await quickEsp(t, { password });
  const { verdict } = await send(esp, { password });
  t.is(verdict.kind, 'accepted');
});

test('a device without a password does not mind that there is one', async (t) => {
  const esp = await quickEsp(t);
  t.is((await send(esp, { password })).verdict.kind, 'accepted');
});

test('a filesystem goes where filesystems go', async (t) => {
  const esp = await quickEsp(t, { layout: { fsStart: 0x200000, fsEnd: 0x3fa000 } });
  const filesystem = new Uint8Array(8192).fill(0x5c);
  const booted = esp.nextEvent(({ event }) => event === 'boot', patienceMs);
  t.is((await send(esp, { image: filesystem, kind: 'filesystem' })).verdict.kind, 'accepted');
  await booted;
  t.is(Buffer.from(esp.readFlash(0x200000, filesystem.length)).compare(filesystem), 0);
});

test('progress is what the device acknowledged: it never goes back, and ends at all of the image', async (t) => {
  const esp = await quickEsp(t, { link: { rttMs: 2, windowBytes: 5840 } });
  const { progress, verdict } = await send(esp);
  t.is(verdict.kind, 'accepted');
  const phases = progress.map(({ phase }) => phase);
  t.deepEqual([...new Set(phases)], ['inviting', 'awaitingCallBack', 'sending', 'awaitingVerdict']);
  const taken = progress.map(({ takenBytes }) => takenBytes);
  t.deepEqual(
    taken,
    [...taken].sort((a, b) => a - b),
  );
  t.is(taken.at(-1), newSketch.length);
});

test('the progress of a device that acknowledges no more stays where it was, though more was sent', async (t) => {
  const esp = await quickEsp(t, { faults: { transfer: { what: 'half-open', at: 0.5 } } });
  const { progress, verdict } = await send(esp, { timings: { stallMs: 500, attempts: 1 } });
  t.is(verdict.kind, 'unknown');
  const taken = progress.map(({ takenBytes }) => takenBytes);
  t.true(Math.max(...taken) > 0 && Math.max(...taken) < newSketch.length / 2, `${taken}`);
});

async function rejection(t: ExecutionContext, sending: Promise<{ verdict: DeliveryVerdict }>) {
  const { verdict } = await sending;
  if (verdict.kind !== 'rejected') throw new Error(`${t.title}: ${JSON.stringify(verdict)}`);
  return verdict;
}

test('a wrong password is a rejection, and is not tried again', async (t) => {
  const esp = await quickEsp(t, { password: 'another' });
  const { by, reason } = await rejection(t, send(esp, { password }));
  t.is(by, 'password');
  t.regex(reason, /Authentication Failed/);
  t.deepEqual(verdictsOf(esp), ['rejected']);
});

test('a missing password is a rejection at once', async (t) => {
  const esp = await quickEsp(t, { password });
  for (const given of [undefined, '']) {
    const sending = send(esp, { timings: repeating, ...(given === undefined ? {} : { password: given }) });
    const { by, reason } = await rejection(t, sending);
    t.is(by, 'password');
    t.regex(reason, /wants a password/);
  }
});

test('an error of begin comes over UDP, in the words and with the number of the device', async (t) => {
  const esp = await quickEsp(t, { chipSizeBytes: 1024 * 1024, layout: { fsStart: 0x20000, fsEnd: 0x20000 } });
  const { by, reason, code } = await rejection(t, send(esp));
  t.deepEqual({ by, reason, code }, { by: 'updater', reason: 'ERROR[4]: Not Enough Space', code: 4 });
});

test('an error at the end is glued to the last acknowledgement, and is found', async (t) => {
  const esp = await quickEsp(t);
  const { code, reason } = await rejection(t, send(esp, { image: new Uint8Array(20_000).fill(0x02) }));
  t.is(code, 10);
  t.regex(reason, /^ERROR\[10\]: Magic byte is not 0xE9$/);
  t.deepEqual(verdictsOf(esp), ['rejected']);
});

test('an ESP32 is told by its challenge of 64 digits', async (t) => {
  const esp = await quickEsp(t, { faults: { invitationAnswer: `AUTH ${'0123456789abcdef'.repeat(4)}` } });
  const { verdict } = await send(esp, { password });
  t.like(verdict, { kind: 'wrongProtocol', which: 'esp32' });
});

test('an ESPHome device is silent over UDP and told by its TCP port', async (t) => {
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

test("ESPHome's bytes on the call-back are known too", async (t) => {
  const esp = await quickEsp(t, { faults: { greeting: Uint8Array.of(0x6c, 0x26, 0xf7, 0x5c, 0x45) } });
  t.like((await send(esp)).verdict, { kind: 'wrongProtocol', which: 'esphome' });
});

test('an answer that nobody knows is a wrong protocol, without control characters', async (t) => {
  const esp = await quickEsp(t, { faults: { invitationAnswer: '\u001b[31mHELO' } });
  t.deepEqual((await send(esp)).verdict, { kind: 'wrongProtocol', which: 'unrecognized', heard: '[31mHELO' });
});

test('a silent device is unreachable', async (t) => {
  const esp = await quickEsp(t, { faults: { deaf: true } });
  const { verdict } = await send(esp, { timings: { ...repeating, invitationMs: 200 } });
  t.is(verdict.kind, 'unreachable');
});

test('a machine without ArduinoOTA is unreachable, and the words say that the port is closed', async (t) => {
  const { verdict } = await send(
    { host: '127.0.0.1', otaPort: await freePort() },
    { timings: { ...repeating, invitationMs: 200 } },
  );
  t.true(verdict.kind === 'unreachable' && /nothing listens/.test(verdict.why), JSON.stringify(verdict));
});

test('a name without an address is unreachable', async (t) => {
  const { verdict } = await send({ host: 'no-such-device.invalid', otaPort: 8266 });
  t.true(verdict.kind === 'unreachable' && verdict.why.includes('no-such-device.invalid'));
});

test('a call-back that never comes is blocked, and says where it was waited for', async (t) => {
  const esp = await quickEsp(t, { faults: { callBack: 'never' }, timings: { dialTimeoutMs: 20 } });
  const { verdict } = await send(esp, { timings: { ...repeating, callBackMs: 100 } });
  if (verdict.kind !== 'blockedCallback') return t.fail(JSON.stringify(verdict));
  t.is(verdict.hostAddress, '127.0.0.1');
  t.true(verdict.port > 0);
});

test('a call-back from another address than the invited one is turned away', async (t) => {
  const esp = await quickEsp(t, { faults: { callBack: { from: '127.0.0.2' } } });
  const { verdict } = await send(esp, { timings: { ...repeating, callBackMs: 300 } });
  t.like(verdict, { kind: 'blockedCallback', strangers: ['127.0.0.2'] });
  t.false(verdictsOf(esp).includes('accepted'));
});

test("the host's port can be chosen, for a firewall", async (t) => {
  const port = await freePort();
  const spare = createServer();
  await new Promise<void>((resolve) => spare.listen(port, '127.0.0.1', resolve));
  const esp = await quickEsp(t, { faults: { callBack: 'never' }, timings: { dialTimeoutMs: 20 } });
  const error = await expectOtaError(t, 'USAGE', () => send(esp, { hostPort: port }));
  t.regex(error.message, new RegExp(`TCP port ${port} of 127.0.0.1`));
  await new Promise<void>((resolve) => spare.close(() => resolve()));
  const { verdict } = await send(esp, { hostPort: port, timings: { ...repeating, callBackMs: 100 } });
  t.like(verdict, { kind: 'blockedCallback', port });
});

test("the host's address can be chosen, and must be one of this machine", async (t) => {
  const esp = await quickEsp(t);
  t.is((await send(esp, { hostIp: '127.0.0.3' })).verdict.kind, 'accepted');
  const error = await expectOtaError(t, 'USAGE', () => send(esp, { hostIp: '192.0.2.1' }));
  t.regex(error.message, /192\.0\.2\.1/);
});
